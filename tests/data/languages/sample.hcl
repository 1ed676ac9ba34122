# A job.
variable "region" {
  default = "eu"
}

job "shop" {
  datacenters = ["dc1"]

  group "web" {
    count = 2

    task "server" {
      driver = "docker"
      config {
        image = "shop:${var.region}"
      }
    }
  }
}

locals {
  name = "shop"
}

limit = 10
