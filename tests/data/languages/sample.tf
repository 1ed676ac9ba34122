terraform {
  required_version = ">= 1.0"
}

variable "region" {
  type    = string
  default = "eu"
}

locals {
  name = "shop-${var.region}"
  tags = { team = "shop" }
}

provider "aws" {
  region = var.region
}

data "aws_ami" "ubuntu" {
  most_recent = true
}

resource "aws_instance" "web" {
  ami  = data.aws_ami.ubuntu.id
  tags = local.tags

  lifecycle {
    create_before_destroy = true
  }
}

module "network" {
  source = "./modules/network"
  name   = upper(local.name)
}

output "address" {
  value = aws_instance.web.public_ip
}
