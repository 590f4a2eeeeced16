package planner

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/backstay/backstay/shared/atomicfile"
	"github.com/backstay/backstay/shared/fleet"
)

// mark says up to which instant a plan's slots are dealt with, under which schedule.
type mark struct {
	Schedule fleet.Schedule `json:"schedule"`
	Until    time.Time      `json:"until"`
}

// marks are those of every plan that has a schedule, as JSON on disk.
type marks struct {
	path  string
	plans map[fleet.PlanID]mark
}

// openMarks reads the marks at path. None, or damaged ones, are as if every plan were new here.
func openMarks(path string) (marks, error) {
	m := marks{path: path, plans: map[fleet.PlanID]mark{}}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return m, fmt.Errorf("read marks of schedules: %w", err)
	}
	if json.Unmarshal(b, &m.plans) != nil || m.plans == nil {
		m.plans = map[fleet.PlanID]mark{}
	}
	return m, nil
}

func (m marks) save() error {
	b, err := json.Marshal(m.plans)
	if err != nil {
		return fmt.Errorf("encode marks of schedules: %w", err)
	}
	return atomicfile.Write(m.path, b, 0o600)
}
