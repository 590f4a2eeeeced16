package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/daemon/internal/httpfault"
	"github.com/backstay/backstay/shared/api"
)

const schemaPrefix = "#/components/schemas/"

// humaConfig sets huma up without its routes: the document is served by a route of our own, like all others.
func (s *Server) humaConfig() huma.Config {
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{Title: "Backstay", Version: api.Version,
				Description: "The control daemon's API. Every route but the open ones wants a bearer token; x-backstay-role is the lowest role that may use it. " +
					"Lists are pages: items, and next for ?cursor= while there is more. Errors are problem JSON with a stable code."},
			Components: &huma.Components{
				Schemas:         huma.NewMapRegistry(schemaPrefix, huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{"bearer": {Type: "http", Scheme: "bearer"}},
			},
		},
		Formats:                      huma.DefaultFormats,
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
		Transformers:                 []huma.Transformer{s.translate},
	}
}

// operation describes one route; path is below api.Base unless absolute is set.
type operation struct {
	id, method, path string
	absolute         bool
	summary, detail  string
	status           int // of success; 200 when 0
	responses        map[string]*huma.Response
	parameters       []*huma.Param
}

func (s *Server) describe(h huma.API, o operation) huma.Operation {
	path := api.Base + o.path
	if o.absolute {
		path = o.path
	}
	row := accessTable()[o.method+" "+path]
	op := huma.Operation{OperationID: o.id, Method: o.method, Path: path, Summary: o.summary, Description: o.detail, DefaultStatus: o.status,
		Responses: o.responses, Parameters: o.parameters, Tags: []string{tag(o.path)},
		BodyReadTimeout: -1, MaxBodyBytes: maxBody + 1} // the guard has read the body already, within its own bounds
	if op.Responses == nil {
		op.Responses = map[string]*huma.Response{}
	}
	op.Responses["default"] = &huma.Response{Description: "Error",
		Content: map[string]*huma.MediaType{httpfault.ContentType: {Schema: h.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[api.Problem](), true, "")}}}
	if !row.open {
		op.Security = []map[string][]string{{"bearer": {}}}
		op.Extensions = map[string]any{"x-backstay-role": row.role}
	}
	return op
}

func tag(path string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return name
}

// register adds a typed route.
func register[I, O any](s *Server, h huma.API, o operation, fn func(context.Context, control.Actor, *I) (*O, error)) {
	huma.Register(h, s.describe(h, o), func(ctx context.Context, in *I) (*O, error) {
		out, err := fn(ctx, requestOf(ctx).actor, in)
		if err != nil {
			return nil, s.problemOf(ctx, err)
		}
		return out, nil
	})
}

// raw adds a route that writes its answer itself; the description is for the document.
func (s *Server) raw(h huma.API, o operation, fn http.HandlerFunc) {
	op := s.describe(h, o)
	h.OpenAPI().AddOperation(&op)
	s.mux.HandleFunc(op.Method+" "+op.Path, fn)
}

// answer is the output of a typed route with a body, empty that of one without; the others are inputs.
type (
	answer[T any]   struct{ Body T }
	empty           struct{}
	none            struct{}
	with[T any]     struct{ Body T }
	byIDWith[T any] struct {
		ByID
		Body T
	}
)

// ByID is the parameter of most paths. It is exported because huma looks into exported members only, embedded ones as well.
type ByID struct {
	ID string `path:"id" maxLength:"160"`
}

func ok[T any](v T, err error) (*answer[T], error) {
	if err != nil {
		return nil, err
	}
	return &answer[T]{Body: v}, nil
}

// list is ok for a whole list, which is a page without a next one.
func list[T any](items []T, err error) (*answer[api.Page[T]], error) {
	if items == nil {
		items = []T{}
	}
	return ok(api.Page[T]{Items: items}, err)
}

func page[T any](p api.Page[T], err error) (*answer[api.Page[T]], error) {
	if p.Items == nil {
		p.Items = []T{}
	}
	return ok(p, err)
}

func done(err error) (*empty, error) {
	if err != nil {
		return nil, err
	}
	return nil, nil
}

// document renders the OpenAPI document. Answers may grow new members in later releases, so only what is sent in requests is
// closed for others.
func document(h huma.API) []byte {
	doc := h.OpenAPI()
	schemas := doc.Components.Schemas.Map()
	delete(schemas, "ErrorModel") // huma's own errors never leave the daemon, see translate
	delete(schemas, "ErrorDetail")
	asked := map[string]bool{}
	for _, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op != nil && op.RequestBody != nil {
				for _, m := range op.RequestBody.Content {
					reach(m.Schema, schemas, asked)
				}
			}
		}
	}
	for name, schema := range schemas {
		if !asked[name] && schema.AdditionalProperties == false {
			schema.AdditionalProperties = nil
		}
	}
	raw, err := json.Marshal(doc)
	if err != nil {
		panic(fmt.Sprintf("httpapi: render the OpenAPI document: %v", err))
	}
	var out bytes.Buffer
	if err := json.Indent(&out, raw, "", "  "); err != nil {
		panic(fmt.Sprintf("httpapi: indent the OpenAPI document: %v", err))
	}
	out.WriteByte('\n')
	return out.Bytes()
}

// reach notes the names of all schemas below s.
func reach(s *huma.Schema, all map[string]*huma.Schema, seen map[string]bool) {
	if s == nil {
		return
	}
	if name, found := strings.CutPrefix(s.Ref, schemaPrefix); found {
		if !seen[name] {
			seen[name] = true
			reach(all[name], all, seen)
		}
		return
	}
	for _, p := range s.Properties {
		reach(p, all, seen)
	}
	reach(s.Items, all, seen)
	if p, is := s.AdditionalProperties.(*huma.Schema); is {
		reach(p, all, seen)
	}
}
