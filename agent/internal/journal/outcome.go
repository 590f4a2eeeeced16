package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"

	"github.com/backstay/backstay/shared/agentwire"
)

const (
	outcomeSize = 64 << 10 // room taken at acceptance; an outcome is cut to fit
	spareSize   = 64 << 10
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sealed is outcome.json: the CRC tells a whole one from one that a crash cut off.
type sealed struct {
	CRC32C   uint32          `json:"crc32c"`
	Finished json.RawMessage `json:"finished"`
}

// WriteOutcome says how the job ended, durably, in the room that was taken for it. Named items are left out from the end when
// they do not fit (the log has them all). The spare room is given back.
func (f Folder) WriteOutcome(end agentwire.JobFinished) error {
	data, err := fitOutcome(end)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(f.file("outcome.json"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open outcome: %w", err)
	}
	_, err = file.WriteAt(data, 0)
	if err == nil {
		err = file.Sync()
	}
	if err == nil {
		err = file.Truncate(int64(len(data))) // room that is not needed; what it held is blank, so a crash here changes nothing
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write outcome: %w", err)
	}
	return f.FreeSpare()
}

// FreeSpare gives the spare room back to the disk. It may be called again.
func (f Folder) FreeSpare() error { return ignoreMissing(os.Remove(f.file("spare"))) }

func fitOutcome(end agentwire.JobFinished) ([]byte, error) {
	const longestMessage = 8 << 10
	if m := end.Outcome.Message; len(m) > longestMessage {
		end.Outcome.Message = string(bytes.ToValidUTF8([]byte(m[:longestMessage]), nil)) + " …"
	}
	for {
		raw, err := json.Marshal(end)
		if err != nil {
			return nil, fmt.Errorf("encode outcome: %w", err)
		}
		data, err := json.Marshal(sealed{CRC32C: crc32.Checksum(raw, castagnoli), Finished: raw})
		if err != nil {
			return nil, fmt.Errorf("encode outcome: %w", err)
		}
		if len(data) <= outcomeSize {
			return data, nil
		}
		switch o := &end.Outcome; {
		case len(o.Unreadable) > 0:
			o.Unreadable = o.Unreadable[:len(o.Unreadable)/2]
		case o.Summary != nil && o.Summary.Check != nil && len(o.Summary.Check.BrokenPacks) > 0:
			s, c := *o.Summary, *o.Summary.Check
			c.BrokenPacks = c.BrokenPacks[:len(c.BrokenPacks)/2]
			s.Check, o.Summary = &c, &s
		default:
			return nil, fmt.Errorf("outcome has %d bytes, the limit is %d", len(data), outcomeSize)
		}
	}
}

// Outcome tells how the job ended; false while it has not, or nobody could say so. It is one small read until then.
func (f Folder) Outcome() (end agentwire.JobFinished, ended bool, err error) {
	file, err := os.Open(f.file("outcome.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return end, false, nil
	}
	if err != nil {
		return end, false, fmt.Errorf("read outcome: %w", err)
	}
	data := make([]byte, 1)
	_, err = file.ReadAt(data, 0)
	if err == nil && data[0] == '{' { // the room for it is blank
		data, err = io.ReadAll(file)
	}
	if errors.Is(err, io.EOF) { // no room was left for it, and none is needed
		err = nil
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return end, false, fmt.Errorf("read outcome: %w", err)
	}
	end, ended = unseal(bytes.TrimRight(data, "\x00 \n"))
	return end, ended, nil
}

// unseal tells whether data are a whole outcome. They are not while they are blank or being written.
func unseal(data []byte) (end agentwire.JobFinished, whole bool) {
	var s sealed
	whole = json.Unmarshal(data, &s) == nil && crc32.Checksum(s.Finished, castagnoli) == s.CRC32C &&
		json.Unmarshal(s.Finished, &end) == nil && end.Outcome.State.Valid()
	if !whole {
		return agentwire.JobFinished{}, false
	}
	return end, true
}
