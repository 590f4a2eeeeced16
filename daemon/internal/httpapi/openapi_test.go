package httpapi_test

import (
	"encoding/json"
	"flag"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backstay/backstay/daemon/internal/httpapi"
	"github.com/backstay/backstay/shared/sharedtest"
)

var update = flag.Bool("update", false, "write testdata/openapi.json anew")

// The document is the contract: a change of it is seen in review.
func TestOpenAPIDocumentIsTheGoldenOne(t *testing.T) {
	h := newHouse(t)
	a := h.ask("GET", "/openapi.json", "", "")
	if a.status != 200 || a.header.Get("Content-Type") != "application/openapi+json" {
		t.Fatalf("%d %v", a.status, a.header)
	}
	sharedtest.Golden(t, *update, filepath.Join("testdata", "openapi.json"), []byte(a.body), "Clients are generated from the document: add, never change.")
}

type document struct {
	OpenAPI    string                               `json:"openapi"`
	Paths      map[string]map[string]map[string]any `json:"paths"`
	Components struct {
		Schemas map[string]map[string]any `json:"schemas"`
	} `json:"components"`
}

func TestOpenAPIDocumentIsWhole(t *testing.T) {
	h := newHouse(t)
	var doc document
	h.must(json.Unmarshal(h.api.OpenAPI(), &doc))
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Errorf("version %q", doc.OpenAPI)
	}
	described := map[string]bool{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			pattern := strings.ToUpper(method) + " " + path
			described[pattern] = true
			row, ok := httpapi.Rows()[pattern]
			if !ok {
				t.Errorf("%s is described and has no row", pattern)
			}
			if (op["security"] == nil) != row.Open || !row.Open && op["x-backstay-role"] != string(row.Role) {
				t.Errorf("%s: security %v, role %v", pattern, op["security"], op["x-backstay-role"])
			}
			if op["summary"] == nil || op["operationId"] == nil {
				t.Errorf("%s says nothing", pattern)
			}
			params, _ := json.Marshal(op["parameters"])
			for _, part := range strings.Split(path, "/") {
				if name, is := strings.CutPrefix(part, "{"); is && !strings.Contains(string(params), `"name":"`+strings.TrimSuffix(name, "}")+`"`) {
					t.Errorf("%s: parameter %s is not described", pattern, part)
				}
			}
		}
	}
	for pattern := range httpapi.Rows() {
		if !described[pattern] {
			t.Errorf("%s is not described", pattern)
		}
	}
	for _, name := range []string{"ErrorModel", "ErrorDetail"} {
		if doc.Components.Schemas[name] != nil {
			t.Errorf("schema %s is none of ours", name)
		}
	}
	for name, closed := range map[string]bool{"JobRequest": true, "UserRequest": true, "BackupSpec": true, "Job": false, "Host": false, "Problem": false} {
		if _, has := doc.Components.Schemas[name]["additionalProperties"]; has != closed {
			t.Errorf("schema %s: closed for more members is %v", name, has)
		}
	}
}
