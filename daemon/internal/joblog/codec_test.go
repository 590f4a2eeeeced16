package joblog

import (
	"bytes"
	"hash/crc32"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/backstay/backstay/shared/fleet"
)

// What parseLines takes is bounded and means one thing only: encoding it again gives lines that are the same.
func FuzzParseLines(f *testing.F) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	f.Add(appendLines(nil, []fleet.LogLine{{Time: at, Stream: fleet.StreamOut, Text: "a"}, {Time: at, Stream: fleet.StreamGap, Cont: true}}))
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Add([]byte{1, 1, 1, 0, 5, 'a'})
	f.Fuzz(func(t *testing.T, b []byte) {
		lines, err := parseLines(nil, b)
		if err != nil {
			return
		}
		again, err := parseLines(nil, appendLines(nil, lines))
		if err != nil || !slices.Equal(lines, again) {
			t.Fatalf("%v, %v, %v", lines, again, err)
		}
	})
}

func FuzzUnpack(f *testing.F) {
	p, err := newPacker(zstd.SpeedFastest)
	if err != nil {
		f.Fatal(err)
	}
	u, err := newUnpacker()
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(u.close)
	f.Add(p.pack(fleet.LogPosition{}, backupLines(f, 20)).data, int64(4000))
	f.Fuzz(func(t *testing.T, data []byte, size int64) {
		r := row{first: 1, bytes: size, crc: crc32.Checksum(data, castagnoli), end: fleet.LogPosition{LastSeq: 20}, data: data}
		if lines, err := u.unpack(nil, r); err == nil && len(lines) != 20 {
			t.Fatalf("%d lines", len(lines))
		}
	})
}

// Every single flipped bit of a chunk, and every cut, is noticed.
func TestUnpackNoticesDamage(t *testing.T) {
	p, err := newPacker(sealedLevel)
	if err != nil {
		t.Fatal(err)
	}
	u, err := newUnpacker()
	if err != nil {
		t.Fatal(err)
	}
	defer u.close()
	good := p.pack(fleet.LogPosition{LastSeq: 5}, backupLines(t, 10))
	if lines, err := u.unpack(nil, good); err != nil || len(lines) != 10 || good.first != 6 || good.end.LastSeq != 15 {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	for i := range good.data {
		bad := good
		bad.data = bytes.Clone(good.data)
		bad.data[i] ^= 1 << (i % 8)
		if _, err := u.unpack(nil, bad); err == nil {
			t.Fatalf("byte %d", i)
		}
		bad.data = good.data[:i]
		if _, err := u.unpack(nil, bad); err == nil {
			t.Fatalf("cut at %d", i)
		}
	}
}

// The largest chunks that split makes can be read again.
func TestLargestChunk(t *testing.T) {
	p, err := newPacker(sealedLevel)
	if err != nil {
		t.Fatal(err)
	}
	u, err := newUnpacker()
	if err != nil {
		t.Fatal(err)
	}
	defer u.close()
	var lines []fleet.LogLine
	for range 40 {
		lines = append(lines, fleet.LogLine{Stream: fleet.StreamOut, Text: strings.Repeat("x", fleet.MaxLineText)})
	}
	lines = append(lines, make([]fleet.LogLine, 3000)...)
	for rest := lines; len(rest) > 0; {
		var part []fleet.LogLine
		part, rest = split(rest, sealedLines, sealedBytes)
		if got, err := u.unpack(nil, p.pack(fleet.LogPosition{}, part)); err != nil || len(got) != len(part) {
			t.Fatalf("%d lines of %d, %v", len(got), len(part), err)
		}
	}
}
