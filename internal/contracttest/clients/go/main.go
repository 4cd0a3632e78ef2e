// Command customer is a client of the Datafiniti and PagFast contracts, as an
// API's customer would write it.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == "d" {
		token := post("/login", map[string]string{"accessKey": os.Getenv("IDENTIFIER"), "secret": os.Getenv("SECRET")})
		fmt.Println(get("/partners", string(token)))
		return
	}
	var answer struct{ Token string }
	body := post("/v4/auth", map[string]string{"email": os.Getenv("IDENTIFIER"), "password": os.Getenv("SECRET")})
	if err := json.Unmarshal(body, &answer); err != nil {
		fail(err)
	}
	fmt.Println(get("/v4/data", answer.Token))
}

func post(path string, input any) []byte {
	data, err := json.Marshal(input)
	if err != nil {
		fail(err)
	}
	request, err := http.NewRequest("POST", os.Getenv("BASE_URL")+path, bytes.NewBuffer(data))
	if err != nil {
		fail(err)
	}
	request.Header.Set("Content-Type", "application/json")
	return do(request)
}

func get(path, token string) string {
	request, err := http.NewRequest("GET", os.Getenv("BASE_URL")+path, nil)
	if err != nil {
		fail(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	return string(do(request))
}

func do(request *http.Request) []byte {
	client := &http.Client{}
	response, err := client.Do(request)
	if err != nil {
		fail(err)
	}
	defer response.Body.Close()
	fmt.Fprintln(os.Stderr, "response status:", response.Status)
	body, err := io.ReadAll(response.Body)
	if err != nil {
		fail(err)
	}
	return body
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
