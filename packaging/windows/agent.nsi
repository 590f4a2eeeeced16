; The agent's installer: the agent as a service, with restic.
;
;   backstay-agent-setup-VERSION-amd64.exe /S /SERVER=https://daemon.example:7443 /PIN=… /TOKEN=…
;
; installs without a question and enrols the host, for many hosts at once. Without /SERVER the host is enrolled later, by the line that the
; console gives. The token is good once and for an hour. The exit code is 0 when all is done, 1 when the program or the service could
; not be installed, 2 when the host could not be enrolled. Installing a newer version leaves running backups alone.
; The uninstaller takes /S, and /PURGE to remove the data as well.
!define TITLE "Backstay agent"
!define KEY "BackstayAgent"
!include common.nsh

Var Server
Var Pin
Var Token
Var Field1
Var Field2
Var Field3

!macro Option NAME VARIABLE
	Push "${NAME}"
	Call OptionOf
	Pop ${VARIABLE}
!macroend

!insertmacro MUI_PAGE_WELCOME
!insertmacro MUI_PAGE_LICENSE "${BIN}\LICENSE.txt"
Page custom AskEnrolment TakeEnrolment
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"
!insertmacro MUI_LANGUAGE "German"

Function .onInit
	!insertmacro RequireX64
	${GetParameters} $R0
	!insertmacro Option "/SERVER=" $Server
	!insertmacro Option "/PIN=" $Pin
	!insertmacro Option "/TOKEN=" $Token
FunctionEnd

; OptionOf replaces an option on the stack, named with its "=", by its value in $R0, up to the next space and without quotes. NSIS' own
; GetOptions would end an address at its first slash.
Function OptionOf
	Exch $0
	StrLen $1 $0
	StrCpy $2 0
	${Do}
		StrCpy $3 $R0 $1 $2
		${If} $3 == ""
			StrCpy $0 ""
			Exch $0
			Return
		${EndIf}
		${If} $3 == $0
			${ExitDo}
		${EndIf}
		IntOp $2 $2 + 1
	${Loop}
	IntOp $2 $2 + $1
	StrCpy $0 ""
	${Do}
		StrCpy $3 $R0 1 $2
		${If} $3 == ""
		${OrIf} $3 == " "
			${ExitDo}
		${EndIf}
		${If} $3 != '"'
			StrCpy $0 "$0$3"
		${EndIf}
		IntOp $2 $2 + 1
	${Loop}
	Exch $0
FunctionEnd

Function AskEnrolment
	ReadEnvStr $0 ProgramData
	${If} ${FileExists} "$0\Backstay\Agent\agent.toml"
		Abort ; enrolled already
	${EndIf}
	!insertmacro MUI_HEADER_TEXT "The daemon" "What the console or `backstayd enrol-token` gave for this host. Leave it empty to do it later."
	nsDialogs::Create 1018
	Pop $0
	${NSD_CreateLabel} 0 0 100% 10u "Address, https://host:port"
	Pop $0
	${NSD_CreateText} 0 11u 100% 12u "$Server"
	Pop $Field1
	${NSD_CreateLabel} 0 32u 100% 10u "Pin"
	Pop $0
	${NSD_CreateText} 0 43u 100% 12u "$Pin"
	Pop $Field2
	${NSD_CreateLabel} 0 64u 100% 10u "Token"
	Pop $0
	${NSD_CreatePassword} 0 75u 100% 12u "$Token"
	Pop $Field3
	nsDialogs::Show
FunctionEnd

Function TakeEnrolment
	${NSD_GetText} $Field1 $Server
	${NSD_GetText} $Field2 $Pin
	${NSD_GetText} $Field3 $Token
FunctionEnd

Section
	SetOutPath "$INSTDIR"
	${If} ${FileExists} "$INSTDIR\backstay-agent.exe"
		nsExec::ExecToLog '"$INSTDIR\backstay-agent.exe" stop' ; its jobs go on
		Pop $0
	${EndIf}
	!insertmacro Replace "backstay-agent.exe"
	!insertmacro Replace "restic.exe"
	File "${BIN}\LICENSE.txt"
	File "/oname=agent-third-party-licenses.txt" "${BIN}\third-party-licenses.txt"
	nsExec::ExecToLog '"$INSTDIR\backstay-agent.exe" install'
	Pop $0
	${If} $0 != 0
		!insertmacro Fail "The service could not be installed; the lines above say why. The program lies in $INSTDIR."
	${EndIf}
	!insertmacro Register "uninstall-agent.exe"

	ReadEnvStr $1 ProgramData
	${If} $Server == ""
		Return
	${EndIf}
	${If} ${FileExists} "$1\Backstay\Agent\agent.toml"
		DetailPrint "This host is enrolled already, and stays so."
		Return
	${EndIf}
	nsExec::ExecToLog '"$INSTDIR\backstay-agent.exe" enrol --server "$Server" --pin "$Pin" --token "$Token"'
	Pop $0
	${If} $0 != 0
		DetailPrint "The agent is installed, but the host could not be enrolled; the lines above say why."
		MessageBox MB_ICONEXCLAMATION|MB_OK "The agent is installed, but the host could not be enrolled. Ask for a new token and run backstay-agent enrol." /SD IDOK
		SetErrorLevel 2
	${EndIf}
SectionEnd

Function un.onInit
	SetRegView 64
FunctionEnd

Section "Uninstall"
	${GetParameters} $R0
	ClearErrors
	${GetOptions} $R0 "/PURGE" $R1
	${If} ${Errors}
		nsExec::ExecToLog '"$INSTDIR\backstay-agent.exe" uninstall'
	${Else}
		nsExec::ExecToLog '"$INSTDIR\backstay-agent.exe" uninstall --purge'
	${EndIf}
	Pop $0
	${If} $0 != 0
		!insertmacro Fail "The service could not be uninstalled; the lines above say why. Nothing else was removed."
	${EndIf}
	Delete "$INSTDIR\backstay-agent.exe"
	Delete "$INSTDIR\restic.exe"
	Delete /REBOOTOK "$INSTDIR\*.former-*"
	Delete "$INSTDIR\agent-third-party-licenses.txt"
	Delete "$INSTDIR\uninstall-agent.exe"
	${IfNot} ${FileExists} "$INSTDIR\backstay-desktop.exe"
		Delete "$INSTDIR\LICENSE.txt"
	${EndIf}
	RMDir "$INSTDIR"
	DeleteRegKey HKLM "${UNINSTALL_KEY}"
SectionEnd
