@tool
class_name Cart
extends Node2D

signal added(item)

enum Color { RED, GREEN }
enum { ANON }

const LIMIT = 10
const Item = preload("res://item.gd")

@export var owner_name: String = "me"
var items := []
@onready var label = $Label
static var counter = 0

class Line extends RefCounted:
	var price := 1

	func twice() -> int:
		return price * 2


func _ready() -> void:
	var local = helper(items)
	added.connect(_on_added)
	print(local)

static func helper(x):
	return x.size() + LIMIT

func _init(owner):
	owner_name = owner
