// Package shell is the console's window: sidebar, top bar, the open page, dialogs and toasts above them, tray and notifications,
// and the session with the daemon whose changes it hands to the model and then to the page.
//
// It alone names fyne.Do: everything that comes from elsewhere is posted, as one batch at a time, to the UI goroutine. It alone
// starts another program, to show a folder. Goroutines: the one-second clock, those of the session and of requests. Close waits
// for all of them.
//
// Promises: nothing blocking runs on the UI goroutine; a page that was left hears of nothing; a daemon that is out of reach leaves
// what is known on the screen, greyed, with its time.
package shell
