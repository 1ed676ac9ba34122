targetScope = 'resourceGroup'

@description('Where.')
param location string = 'eu'
var limit = 10

type settings = {
  size: int
}

resource store 'Microsoft.Storage/storageAccounts@2022-09-01' = {
  name: 'shop${limit}'
  location: location
}

module network './network.bicep' = {
  name: 'network'
  params: {
    location: location
  }
}

func double(x int) int => x * 2

output id string = store.id
