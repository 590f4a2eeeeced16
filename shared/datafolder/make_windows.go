package datafolder

import (
	"fmt"

	"golang.org/x/sys/windows"

	"github.com/backstay/backstay/shared/fault"
)

// private lets in the system, administrators and the folder's owner, and takes what the folder above lets in, which below ProgramData
// is everybody.
const private = "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;OW)"

// closeToOthers gives dir an access list of its own, once.
func closeToOthers(dir string) error {
	now, err := windows.GetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("read the access list of %s: %w", dir, err)
	}
	if control, _, err := now.Control(); err == nil && control&windows.SE_DACL_PROTECTED != 0 {
		return nil
	}
	want, err := windows.SecurityDescriptorFromString(private)
	if err != nil {
		return fmt.Errorf("make an access list: %w", err)
	}
	list, _, err := want.DACL()
	if err != nil {
		return fmt.Errorf("make an access list: %w", err)
	}
	err = windows.SetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, list, nil)
	if err != nil {
		return fault.Wrap(fault.InvalidInput, err, "The data folder %s cannot be closed to other accounts. Choose another with --data, or run as its owner.", dir)
	}
	return nil
}
