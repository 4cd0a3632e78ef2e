package cli

import (
	"github.com/spf13/cobra"

	"github.com/chancery-auth/chancery/internal/dialect/schema"
)

func (p *program) dialectSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of dialect files, for editors",
		Long: `Print the JSON Schema of dialect files. Editors complete and check by it while you
write: name it in the file's first line, as in

  # yaml-language-server: $schema=dialect.schema.json

It knows the form of a file alone. What the parts mean for each other, and what
expressions may name, only check knows.`,
		Example: "  chancery dialect schema > dialect.schema.json",
		Args:    words(),
		RunE: func(*cobra.Command, []string) error {
			text, err := schema.Write()
			if err != nil {
				return err
			}
			_, err = p.out.Write(text)
			return err
		},
	}
}
