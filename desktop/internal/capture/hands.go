package capture

// write types into what has the keyboard.
func (st *stage) write(text string) {
	for _, r := range text {
		if f := st.window.Canvas().Focused(); f != nil {
			f.TypedRune(r)
		}
	}
}
