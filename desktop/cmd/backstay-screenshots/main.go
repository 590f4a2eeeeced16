// Backstay-screenshots paints the console's pages into PNG files without a display, for the README and for review. It is a tool of
// those who build Backstay and is not installed anywhere.
package main

import (
	"fmt"
	"os"
	"strings"

	"fyne.io/fyne/v2"
	"github.com/spf13/cobra"

	"github.com/backstay/backstay/desktop/internal/capture"
)

func main() {
	if err := command().Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "backstay-screenshots:", err)
		os.Exit(1)
	}
}

func command() *cobra.Command {
	var cfg capture.Config
	var size string
	cmd := &cobra.Command{Use: "backstay-screenshots --out FOLDER [PICTURE…]", Short: "paint the console's pages",
		Long: "Pictures: " + strings.Join(capture.Names(), ", ") + ".", SilenceUsage: true, SilenceErrors: true}
	f := cmd.Flags()
	f.StringVar(&cfg.Out, "out", "", "`folder` of the pictures")
	f.StringSliceVar(&cfg.Themes, "theme", nil, "light, dark (both when not given)")
	f.StringVar(&size, "size", "1440x900", "`size` of the window")
	f.Float32Var(&cfg.Scale, "scale", 1, "pixels for a unit of the window")
	f.StringVar(&cfg.Language, "language", "en", "`tag` of the language")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var w, h int
		if _, err := fmt.Sscanf(size, "%dx%d", &w, &h); err != nil {
			return fmt.Errorf("--size is like 1440x900, not %q", size)
		}
		cfg.Shots, cfg.Size = args, fyne.NewSize(float32(w), float32(h))
		cfg.Report = func(path string) { fmt.Fprintln(cmd.OutOrStdout(), path) }
		return capture.Run(cfg)
	}
	if err := cmd.MarkFlagRequired("out"); err != nil {
		panic(err) // the flag is right above
	}
	return cmd
}
