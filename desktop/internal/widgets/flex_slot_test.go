package widgets

import (
	"testing"

	"fyne.io/fyne/v2"
)

// What appears between two others moves them apart by its length and one gap, and leaves nothing behind.
func TestAnEmptySlotLeavesNoGap(t *testing.T) {
	slot := Slot()
	column := VFlex(16, Space(10), slot, Space(10))
	high := func() float32 { return column.MinSize().Height }
	if high() != 36 {
		t.Errorf("empty: %v", high())
	}
	FillSlot(slot, Space(20))
	if high() != 72 || !slot.Visible() {
		t.Errorf("filled: %v", high())
	}
	column.Resize(fyne.NewSize(50, 72))
	FillSlot(slot, nil)
	if high() != 36 || column.Objects[2].Position().Y != 26 {
		t.Errorf("empty again: %v, %v", high(), column.Objects[2].Position())
	}
}
