// Command passwordlist makes core/commonpasswords.filter, which [core.CheckPassword]
// asks, of a JSON list of common passwords, the commonest first:
//
//	npm pack @zxcvbn-ts/language-common@4.1.3
//	tar xzf zxcvbn-ts-language-common-4.1.3.tgz package/src/passwords.json
//	go run ./internal/passwordlist < package/src/passwords.json > core/commonpasswords.filter
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"

	"github.com/FastFilter/xorfilter"

	"github.com/chancery-auth/chancery/core"
)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "passwordlist:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	var list []string
	if err := json.NewDecoder(in).Decode(&list); err != nil {
		return err
	}
	var keys []uint64
	seen := map[uint64]bool{}
	for _, password := range list {
		key := core.CommonPasswordKey(password)
		if utf8.RuneCountInString(password) >= core.MinPassword && !seen[key] {
			seen[key] = true
			keys = append(keys, key)
		}
	}
	if len(keys) < 3000 { // S10
		return errors.New("the list has fewer than 3000 passwords that are long enough")
	}
	filter, err := xorfilter.NewBinaryFuse[uint16](keys)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := filter.Save(&b); err != nil {
		return err
	}
	_, err = out.Write(b.Bytes())
	return err
}
