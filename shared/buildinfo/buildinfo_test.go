package buildinfo_test

import (
	"regexp"
	"testing"

	"github.com/backstay/backstay/shared/buildinfo"
)

func TestVersionIsSemantic(t *testing.T) {
	if v := buildinfo.Version(); !regexp.MustCompile(`^\d+\.\d+\.\d+`).MatchString(v) {
		t.Fatalf("version %q", v)
	}
}
