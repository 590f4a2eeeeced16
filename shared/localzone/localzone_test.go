package localzone_test

import (
	"testing"

	"github.com/backstay/backstay/shared/localzone"
	"github.com/backstay/backstay/shared/schedule"
)

func TestName(t *testing.T) {
	for tz, want := range map[string]string{"Europe/Berlin": "Europe/Berlin", ":Asia/Tokyo": "Asia/Tokyo", "UTC": "UTC", "Mars/Olympus": "", "/usr/share/zoneinfo/Europe/Berlin": "", "Local": ""} {
		if got := localzone.Name(func(string) string { return tz }); got != want {
			t.Errorf("TZ=%q: %q, want %q", tz, got, want)
		}
	}
	if got := localzone.Name(func(string) string { return "" }); got != "" { // whatever this computer has, it is a zone
		if _, err := schedule.Zone(got); err != nil {
			t.Error(err)
		}
	}
}
