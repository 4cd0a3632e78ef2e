package cli

import (
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/chancery-auth/chancery/internal/dialect"
	"github.com/chancery-auth/chancery/internal/dialect/openapi"
	"github.com/chancery-auth/chancery/internal/dialect/page"
)

// A published is a choice of a dialect that is written about for those who call it.
type published struct {
	dialectChoice
	baseURL string
}

func (p *published) flags(command *cobra.Command) {
	p.dialectChoice.flags(command)
	command.Flags().StringVar(&p.baseURL, "base-url", "", "the address that clients call, without a slash at its end (default: the issuer; of a NAME, with the prefix that the configuration serves it under)")
}

// loadPublished loads a dialect as clients see it.
func (p *program) loadPublished(choice *published, named string) (*dialect.Dialect, error) {
	chosen, err := p.choose(&choice.dialectChoice, named)
	if err != nil {
		return nil, err
	}
	if choice.baseURL == "" {
		chosen.mount.Prefix = chosen.prefix
	} else if u, err := url.Parse(choice.baseURL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, usageFault("such as --base-url https://login.example.com", "base-url %q: this is no address", choice.baseURL)
	} else {
		chosen.config.Issuer = choice.baseURL
	}
	d, err := chosen.load()
	if err != nil {
		return nil, openFault(err)
	}
	return d, nil
}

// documents writes a dialect's page and OpenAPI file.
func documents(d *dialect.Dialect, options page.Options) (html, document []byte, err error) {
	if html, err = page.Render(d, options); err != nil {
		return nil, nil, err
	}
	document, err = openapi.Write(d)
	return html, document, err
}

// documentable tells what keeps a dialect's page and OpenAPI file from being written.
func documentable(d *dialect.Dialect) error {
	if _, _, err := documents(d, page.Options{}); err != nil {
		return withHint(fmt.Errorf("dialect %s cannot be documented: %w", d.Name(), err), "write the route that is named in another way; without documents nobody learns of it")
	}
	return nil
}

func (p *program) dialectDocsCommand() *cobra.Command {
	var (
		choice published
		folder string
	)
	command := &cobra.Command{
		Use:   "docs NAME|FILE...",
		Short: "Write the documentation pages of dialects into a folder",
		Long: `Write the documentation pages of dialects into a folder: HTML, a stylesheet, a small
script and the OpenAPI file, to be put on any web server. A running server shows the
same at /docs.

` + servedNote,
		Example: "  chancery dialect docs dialects/acme.yaml --to public --base-url https://login.acme.example",
		Args:    someWords("NAME|FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			var all []*dialect.Dialect
			for _, named := range args {
				d, err := p.loadPublished(&choice, named)
				if err != nil {
					return err
				}
				all = append(all, d)
			}
			return p.writeDocs(folder, all)
		},
	}
	choice.flags(command)
	command.Flags().StringVar(&folder, "to", "api-docs", "the folder; what is there by these names is written over")
	return command
}

// docsFiles are the names of a dialect's page and OpenAPI file.
func docsFiles(all []*dialect.Dialect, i int) (page, document string) {
	if len(all) == 1 {
		return "index.html", "openapi.json"
	}
	return all[i].Name() + ".html", all[i].Name() + ".openapi.json"
}

func (p *program) writeDocs(folder string, all []*dialect.Dialect) error {
	files := map[string][]byte{}
	for i, d := range all {
		name, document := docsFiles(all, i)
		if files[name] != nil {
			return usageFault("name each once", "there are two dialects named %s", d.Name())
		}
		options := page.Options{Stylesheet: "page.css", Script: "page.js", OpenAPI: document}
		for k, other := range all {
			if k != i {
				address, _ := docsFiles(all, k)
				options.Others = append(options.Others, page.Link{Title: other.Title(), Address: address})
			}
		}
		var err error
		if files[name], files[document], err = documents(d, options); err != nil {
			return err
		}
	}
	for _, name := range []string{"page.css", "page.js"} {
		content, err := fs.ReadFile(page.Assets(), name)
		if err != nil {
			return err
		}
		files[name] = content
	}
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil { //nolint:gosec // pages are for everybody
			return err
		}
	}
	first, _ := docsFiles(all, 0)
	_, err := fmt.Fprintf(p.out, "wrote %s: open %s\n", count(len(all), "page"), filepath.Join(folder, first))
	return err
}

func (p *program) dialectOpenAPICommand() *cobra.Command {
	var choice published
	command := &cobra.Command{
		Use:     "openapi NAME|FILE",
		Short:   "Print the OpenAPI 3.1 document of a dialect",
		Long:    "Print the OpenAPI 3.1 document of a dialect.\n\n" + servedNote,
		Example: "  chancery dialect openapi dialects/acme.yaml --base-url https://login.acme.example > openapi.json",
		Args:    words("NAME|FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			d, err := p.loadPublished(&choice, args[0])
			if err != nil {
				return err
			}
			document, err := openapi.Write(d)
			if err != nil {
				return err
			}
			_, err = p.out.Write(document)
			return err
		},
	}
	choice.flags(command)
	return command
}
