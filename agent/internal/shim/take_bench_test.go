package shim

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/backstay/backstay/agent/internal/journal"
	"github.com/backstay/backstay/agent/internal/restic"
	"github.com/backstay/backstay/agent/internal/spool"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/sharedtest/fakerestic/behaviour"
	"time"
)

// BenchmarkTake records blocks of 30 lines, as come at 3,000 lines/s: decode, spool, ring.
func BenchmarkTake(b *testing.B) {
	const lines = 30
	f := journal.Folder(b.TempDir())
	log, err := spool.OpenWriter(filepath.Join(string(f), "log.spool"), spool.Options{})
	if err != nil {
		b.Fatal(err)
	}
	bell, err := journal.OpenRinger(f.BellPath())
	if err != nil {
		b.Fatal(err)
	}
	r := &recorder{folder: f, log: log, bell: bell, decoder: restic.NewDecoder(fleet.KindBackup, time.Now), now: time.Now}
	text := strings.Repeat(behaviour.Line(1, 217)+"\n", lines)
	b.ReportAllocs()
	for b.Loop() {
		r.take(block{stream: fleet.StreamOut, text: text})
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/lines, "ns/line")
	if err := log.Close(time.Now(), nil); err != nil {
		b.Fatal(err)
	}
	if err := bell.Close(); err != nil {
		b.Fatal(err)
	}
}
