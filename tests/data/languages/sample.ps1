using module Shop.Base
using namespace System.IO
Import-Module ShopTools
. ./helpers.ps1

param([string]$Path)

$Script:Limit = 10
$counter = 0

enum Color {
    Red
    Green = 2
}

# A cart.
class Cart : Base {
    [string]$Owner
    hidden [int[]]$Items = @()
    static [int]$Count

    Cart([string]$owner) {
        $this.Owner = $owner
    }

    [int] Total([int]$scale) {
        $local = Get-Price -Item $this.Items
        return $local * $scale
    }

    static [Cart] Create() { return [Cart]::new("x") }
}

function Get-Price {
    [CmdletBinding()]
    param(
        [Parameter(Mandatory)] $Item
    )
    process {
        Write-Output ($Item.Price + $Limit)
    }
}

function global:Invoke-Total([int]$x, $y) { Get-Price $x }

filter Select-Cheap {
    if ($_.Price -lt 5) { $_ }
}

workflow Start-Shop { Get-Price }

$cart = [Cart]::Create()
$cart.Total(2)
