<#
.SYNOPSIS
Installs Backstay's agent on this host from an installer that lies under an address, and enrols the host.
.DESCRIPTION
The installer is checked against SHA256SUMS under the same address; with -Sums, SHA256SUMS itself has to have that SHA-256. An address
without https is taken only with -Sums. A host that is enrolled stays so. Run it as an administrator.
.EXAMPLE
.\install-agent.ps1 -From https://packages.example/backstay -Server https://daemon.example:7443 -Pin PIN -Token TOKEN
#>
[CmdletBinding()]
param(
	[Parameter(Mandatory)] [string] $From,
	[string] $Server,
	[string] $Pin,
	[string] $Token = $env:BACKSTAY_TOKEN,
	[string] $Version,
	[string] $Sums
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
[Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12

$From = $From.TrimEnd('/')
if ($From -notmatch '^https://' -and -not ($From -match '^http://' -and $Sums)) {
	throw "$From is not https, so anybody on the way could change the installer. Use https, or give -Sums."
}
if ($Version -and $Version -notmatch '^[0-9A-Za-z.+-]+$') { throw "-Version cannot be $Version." }
$admin = [Security.Principal.WindowsPrincipal] [Security.Principal.WindowsIdentity]::GetCurrent()
if (-not $admin.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) { throw 'Run this as an administrator.' }

# A folder that only administrators may change: between the check and the start nobody can put another file there.
$dir = Join-Path $env:ProgramData ('backstay-install-' + [Guid]::NewGuid())
$null = New-Item -ItemType Directory -Path $dir
& icacls.exe $dir /inheritance:r /grant '*S-1-5-32-544:(OI)(CI)F' '*S-1-5-18:(OI)(CI)F' | Out-Null
if ($LASTEXITCODE -ne 0) { throw "The folder $dir could not be closed to others." }
try {
	$list = Join-Path $dir 'SHA256SUMS'
	Invoke-WebRequest -UseBasicParsing -Uri "$From/SHA256SUMS" -OutFile $list
	if ($Sums -and (Get-FileHash -Algorithm SHA256 $list).Hash -ne $Sums) {
		throw "SHA256SUMS is not the one that -Sums names. Do not install from $From; ask who gave you the digest."
	}
	$wanted = if ($Version) { [regex]::Escape($Version) } else { '[0-9A-Za-z.+-]+' }
	$found = @(Get-Content $list | Where-Object { $_ -match "^([0-9a-f]{64}) [ *](backstay-agent-setup-($wanted)-amd64\.exe)$" } |
			ForEach-Object { [pscustomobject]@{ Digest = $Matches[1]; Name = $Matches[2]; Number = [version] ($Matches[3] -replace '[-+].*$') } } |
			Sort-Object Number)
	if ($found.Count -eq 0) { throw "$From has no installer for this host." }
	$chosen = $found[-1]
	$installer = Join-Path $dir $chosen.Name
	Invoke-WebRequest -UseBasicParsing -Uri "$From/$($chosen.Name)" -OutFile $installer
	if ((Get-FileHash -Algorithm SHA256 $installer).Hash -ne $chosen.Digest) {
		throw "$($chosen.Name) is not what SHA256SUMS says. Nothing was installed. Try again; should it stay so, tell who publishes it."
	}
	Write-Host "$($chosen.Name) is as SHA256SUMS says"
	$process = Start-Process -FilePath $installer -ArgumentList '/S' -Wait -PassThru
	if ($process.ExitCode -ne 0) { throw "The installer ended with $($process.ExitCode)." }
	if (-not $Server) { return }
	$agent = Join-Path $env:ProgramFiles 'Backstay\backstay-agent.exe'
	if (Test-Path (Join-Path $env:ProgramData 'Backstay\Agent\agent.toml')) {
		Write-Host 'This host is enrolled already, and stays so.'
		return
	}
	$Token | & $agent enrol --server $Server --pin $Pin --token-stdin
	if ($LASTEXITCODE -ne 0) { throw 'The host could not be enrolled; the lines above say why.' }
}
finally {
	Remove-Item -Recurse -Force $dir
}
