package fault_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"testing"

	"github.com/backstay/backstay/shared/fault"
)

func TestCodeAndMessage(t *testing.T) {
	cause := errors.New("open /srv/state.db: permission denied")
	coded := fault.Wrap(fault.StorageDenied, cause, "The folder %s cannot be written. Mend its mode.", "data")
	tests := []struct {
		name    string
		err     error
		code    fault.Code
		message string
		shown   bool
	}{
		{"nil", nil, "", "", false},
		{"no fault", cause, fault.Internal, "", false},
		{"fault", coded, fault.StorageDenied, "The folder data cannot be written. Mend its mode.", true},
		{"wrapped", fmt.Errorf("open store: %w", coded), fault.StorageDenied, "The folder data cannot be written. Mend its mode.", true},
		{"joined", errors.Join(cause, coded), fault.StorageDenied, "The folder data cannot be written. Mend its mode.", true},
		{"outer one wins", fault.Wrap(fault.Unavailable, coded, "Try again."), fault.Unavailable, "Try again.", true},
	}
	for _, tt := range tests {
		if got := fault.CodeOf(tt.err); got != tt.code {
			t.Errorf("%s: code %q, want %q", tt.name, got, tt.code)
		}
		if got, shown := fault.Message(tt.err); got != tt.message || shown != tt.shown {
			t.Errorf("%s: message %q, %v, want %q, %v", tt.name, got, shown, tt.message, tt.shown)
		}
	}
	if !errors.Is(coded, cause) {
		t.Error("the cause is lost")
	}
	if got := coded.Error(); got != coded.Message+": "+cause.Error() {
		t.Errorf("Error() is %q", got)
	}
	if got := fault.New(fault.NotFound, "Nothing at 100%%. Look elsewhere.").Error(); got != "Nothing at 100%. Look elsewhere." {
		t.Errorf("Error() is %q", got)
	}
}

// Scripts branch on codes: each is a plain word, and none stands for two things.
func TestCodesAreDistinct(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "fault.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	word, seen := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`), map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if id, ok := spec.Type.(*ast.Ident); !ok || id.Name != "Code" {
			return true
		}
		literal, ok := spec.Values[0].(*ast.BasicLit)
		if !ok {
			t.Fatalf("%s is not written out", spec.Names[0])
		}
		value, err := strconv.Unquote(literal.Value)
		if err != nil || !word.MatchString(value) {
			t.Errorf("%s has the value %q", spec.Names[0], value)
		}
		if other, ok := seen[value]; ok {
			t.Errorf("%s and %s are both %q", spec.Names[0], other, value)
		}
		seen[value] = spec.Names[0].Name
		return true
	})
	if len(seen) < 30 {
		t.Errorf("found %d codes only", len(seen))
	}
}
