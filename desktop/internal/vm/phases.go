package vm

import (
	"strings"
	"time"

	"github.com/backstay/backstay/shared/fleet"
)

// phases notes when the job was first seen in each of its phases, by the host's clock. A begin is known where the phase before it was
// seen, or where the agent tells it; who opens the page later does not know when restic began to read.
type phases struct {
	step   StepName // the furthest that was seen
	work   StepName // the furthest of those that a job has which nobody stops
	begins map[StepName]time.Time
	last   time.Time // of the newest figures
}

// seamless is how far two figures in a row may be apart for what is between them to be known.
const seamless = 3 * time.Second

// stepOfPhase says which step a phase belongs to. Retries belong to whatever they hold up.
var stepOfPhase = map[fleet.Phase]StepName{
	fleet.PhaseWaiting: StepWaiting, fleet.PhaseStarting: StepStarting, fleet.PhaseScanning: StepScanning, fleet.PhaseReading: StepReading,
	fleet.PhaseStopping: StepStopping, fleet.PhaseUnlocking: StepUnlocking,
}

// take takes figures and tells whether another step began.
func (s *phases) take(p fleet.Progress) bool {
	seen := !s.last.IsZero() && p.At.Sub(s.last) <= seamless
	s.last = p.At
	step, known := stepOfPhase[p.Phase]
	if !known {
		return false
	}
	if step == StepReading && p.Percent >= 1 {
		step = StepFinishing
	}
	if step == StepScanning && s.step == StepReading { // restic's count goes on after a pause
		delete(s.begins, StepReading)
		s.step, s.work = StepScanning, StepScanning
		return true
	}
	if rank(step) <= rank(s.step) {
		return false
	}
	s.step = step
	if !extra(step) {
		s.work = step
	}
	if told := step != StepScanning && step != StepReading && step != StepFinishing; told || seen {
		s.begin(step, p.At)
	}
	return true
}

func (s *phases) begin(step StepName, at time.Time) {
	if s.begins == nil {
		s.begins = map[StepName]time.Time{}
	}
	if _, known := s.begins[step]; !known {
		s.begins[step] = at
	}
}

// scanFinished begins the line in which a verbose backup says that it has counted everything.
const scanFinished = `{"message_type":"verbose_status","action":"scan_finished",`

// line looks whether a line of the log tells when a step ended.
func (s *phases) line(l *fleet.LogLine) {
	if l.Stream == fleet.StreamOut && strings.HasPrefix(l.Text, scanFinished) {
		s.begin(StepReading, l.Time)
	}
}
