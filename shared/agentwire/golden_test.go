package agentwire_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/sharedtest"
)

var update = flag.Bool("update", false, "write the golden files of testdata anew")

// frame gives a sample as it goes over the wire.
func (s sample) frame(t *testing.T) []byte {
	t.Helper()
	var b []byte
	var err error
	if s.typ == "" {
		b, err = json.Marshal(s.payload)
	} else {
		b, err = agentwire.Encode(s.typ, "01JDB0000000000000000000M1", s.job, s.payload)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// golden compares a frame with its file and gives the file's content without white space.
func golden(t *testing.T, name string, frame []byte) []byte {
	t.Helper()
	kept := sharedtest.GoldenJSON(t, *update, filepath.Join("testdata", name+".json"), frame,
		"A peer of another version reads the old form: add, never change.")
	var compact bytes.Buffer
	if err := json.Compact(&compact, kept); err != nil {
		t.Fatal(err)
	}
	return compact.Bytes()
}

func TestGolden(t *testing.T) {
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			kept := golden(t, s.name, s.frame(t))
			e := agentwire.Envelope{Payload: kept}
			if s.typ != "" {
				var err error
				if e, err = agentwire.Decode(kept); err != nil {
					t.Fatal(err)
				}
				if e.V != 1 || e.Type != s.typ || e.JobID != s.job || e.ID != "01JDB0000000000000000000M1" {
					t.Errorf("envelope %+v", e)
				}
			}
			if s.payload == nil {
				if len(e.Payload) != 0 {
					t.Errorf("payload %s", e.Payload)
				}
				return
			}
			got, err := s.back(e)
			if err != nil || !reflect.DeepEqual(got, s.payload) {
				t.Errorf("read back:\n got %+v, %v\nwant %+v", got, err, s.payload)
			}
			sharedtest.Filled(t, s.payload, s.name)
		})
	}
}

// Every type of message has a sample, and every file in testdata is somebody's.
func TestEveryMessageHasAGoldenFile(t *testing.T) {
	have := map[string]bool{}
	types := map[agentwire.Type]bool{}
	for _, s := range samples() {
		if have[s.name] {
			t.Errorf("two samples are called %s", s.name)
		}
		have[s.name], types[s.typ] = true, true
	}
	for name, value := range constants(t, "envelope.go", "Type") {
		if !types[agentwire.Type(value)] {
			t.Errorf("%s (%s) has no sample", name, value)
		}
	}
	sharedtest.OnlyGolden(t, "testdata", have)
}

// constants gives the string constants of a type as a source file writes them.
func constants(t *testing.T, file, typ string) map[string]string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if id, ok := spec.Type.(*ast.Ident); !ok || id.Name != typ {
			return true
		}
		literal, ok := spec.Values[0].(*ast.BasicLit)
		if !ok {
			t.Fatalf("%s is not written out", spec.Names[0])
		}
		value, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Fatal(err)
		}
		out[spec.Names[0].Name] = value
		return true
	})
	if len(out) < 10 {
		t.Fatalf("found %d constants only", len(out))
	}
	return out
}

// AppendLogStream writes by hand what Encode would.
func TestAppendLogStreamIsTheSameMessage(t *testing.T) {
	for _, s := range samples() {
		m, ok := s.payload.(agentwire.LogStream)
		if !ok {
			continue
		}
		e, err := agentwire.Decode(agentwire.AppendLogStream(nil, s.job, m.FirstSeq, m.Lines))
		if err != nil {
			t.Fatal(err)
		}
		got, err := agentwire.Payload[agentwire.LogStream](e)
		if err != nil || e.Type != s.typ || e.JobID != s.job || !reflect.DeepEqual(got, m) {
			t.Errorf("got %+v, %v", got, err)
		}
		empty, err := agentwire.Decode(agentwire.AppendLogStream([]byte{}, s.job, 1, nil))
		if err != nil || string(empty.Payload) != `{"first_seq":1,"lines":[]}` {
			t.Errorf("no lines: %s, %v", empty.Payload, err)
		}
	}
}

// Whatever has to be escaped, a full batch stays inside a frame.
func TestFullBatchFitsAFrame(t *testing.T) {
	for _, text := range []string{"\x01", "\xff", "\u2028", "x", `"`} {
		var lines []fleet.LogLine
		for total := 0; total+fleet.MaxLineText <= agentwire.MaxBatch; total += fleet.MaxLineText {
			lines = append(lines, fleet.LogLine{Time: at, Stream: fleet.StreamOut, Text: strings.Repeat(text, fleet.MaxLineText/len(text))})
		}
		if n := len(agentwire.AppendLogStream(nil, jobID, 1, lines)); n > agentwire.MaxFrame {
			t.Errorf("%q: %d bytes", text, n)
		}
	}
}
