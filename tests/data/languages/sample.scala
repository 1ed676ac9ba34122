package com.example.app

import scala.collection.mutable.{Map, Set => MSet}
import com.example.util._

/** A shape. */
trait Shape extends Base {
  def area(scale: Double): Double
  val name: String
}

case class Circle[T](radius: Double, private val part: T) extends Shape with Serializable {
  private var cache: Map[String, T] = Map.empty
  lazy val name = "circle"
  type Unit = Double

  override def area(scale: Double): Double = {
    val local = helper(scale, Circle.Limit)
    items.map(x => x.value + local).head
  }
}

object Circle {
  val Limit = 10
  def unit: Circle[Int] = new Circle(1.0, 1)
}

sealed abstract class Color
object Main extends App { Circle.unit.area(2) }
