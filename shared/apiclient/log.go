package apiclient

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// idleLimit is how long a download may stand still. A whole log may take long; silence may not.
const idleLimit = 30 * time.Second

// LogText writes the stored log of a job after a line to w, as restic wrote it. A broken connection is an error, because text
// has no line numbers to resume by: see LogLines.
func (c *Client) LogText(ctx context.Context, id fleet.JobID, after int64, w io.Writer) error {
	return c.download(ctx, logCall(id, after, "text"), func(r io.Reader) error {
		if _, err := io.Copy(w, r); err != nil {
			return fmt.Errorf("read log: %w", err)
		}
		return nil
	})
}

// LogLines gives the stored log of a job after a line to take, line by line, each once and in order; a broken connection is
// resumed. It ends with the first error of take, which it returns.
func (c *Client) LogLines(ctx context.Context, id fleet.JobID, after int64, take func(seq int64, line fleet.LogLine) error) error {
	last := after
	for try := 1; ; try++ {
		before := last
		var stop error
		err := c.download(ctx, logCall(id, last, "ndjson"), func(r io.Reader) error {
			return readNDJSON(r, func(seq int64, l fleet.LogLine) error {
				if seq == 0 {
					seq = last + 1
				}
				if seq != last+1 {
					return fault.New(fault.Protocol, "Lines of the log are missing in the answer: %d came where %d was next. Run the command again.", seq, last+1)
				}
				last = seq
				stop = take(seq, l)
				return stop
			})
		})
		switch {
		case err == nil:
			return nil
		case stop != nil:
			return stop
		case last > before:
			try = 0 // it moves on
		}
		if !transient(err) || try >= maxTries || !pause(ctx, c.cfg.Retry.Next(try-1, c.cfg.Random)) {
			return err
		}
	}
}

func logCall(id fleet.JobID, after int64, format string) call {
	q := url.Values{"format": {format}}
	if after > 0 {
		q.Set("after_seq", strconv.FormatInt(after, 10))
	}
	return call{method: http.MethodGet, path: route("jobs", string(id), "log"), query: q}
}

// readNDJSON reads lines of a log with their numbers, 0 where there is none.
func readNDJSON(r io.Reader, take func(seq int64, l fleet.LogLine) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 64<<10), maxStreamFrame)
	for lines.Scan() {
		var n struct {
			Seq int64 `json:"seq"`
		}
		var l fleet.LogLine
		if err := errors.Join(json.Unmarshal(lines.Bytes(), &n), json.Unmarshal(lines.Bytes(), &l)); err != nil {
			return fault.Wrap(fault.Protocol, err, "The daemon sent a log line that this program does not understand. Update the older side.")
		}
		if err := take(n.Seq, l); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read log: %w", err)
	}
	return nil
}

// download carries out r once and gives the body to read, which may take as long as it keeps moving.
func (c *Client) download(ctx context.Context, r call, read func(io.Reader) error) (err error) {
	if !whole(r.path) {
		return fault.New(fault.InvalidInput, "The id of the job is missing. Give the one that `backstay jobs ls` shows.")
	}
	dctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	idle := time.AfterFunc(idleLimit, func() { cancel(errIdle) }) // the answer's header
	defer idle.Stop()
	resp, err := c.send(ctx, dctx, r, nil)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := resp.Body.Close(); err == nil && cerr != nil {
			err = c.unreachable(ctx, cerr)
		}
	}()
	if resp.StatusCode >= 300 {
		answer, rerr := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		return errors.Join(c.refusal(resp.StatusCode, answer), rerr)
	}
	body := &movingReader{r: resp.Body, idle: idle}
	err = read(body)
	if body.err != nil {
		return c.unreachable(ctx, errors.Join(body.err, context.Cause(dctx)))
	}
	return err
}

var errIdle = errors.New("the download stood still")

// movingReader lets idle run while it waits for bytes, and only then: whoever reads may take all the time in the world. It keeps
// the error of the connection apart from those of the reader above.
type movingReader struct {
	r    io.Reader
	idle *time.Timer
	err  error
}

func (m *movingReader) Read(p []byte) (int, error) {
	m.idle.Reset(idleLimit)
	n, err := m.r.Read(p)
	m.idle.Stop()
	if err != nil && !errors.Is(err, io.EOF) {
		m.err = err
	}
	return n, err
}
