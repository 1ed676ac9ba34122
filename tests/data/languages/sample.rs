use std::collections::{HashMap, HashSet as Set};
use crate::store::Entry;

pub const LIMIT: usize = 10;
static mut COUNTER: u32 = 0;
type Rows = Vec<u32>;

/// A shape.
#[derive(Debug, Clone)]
pub struct Circle<'a, T> {
    pub radius: f64,
    name: &'a str,
    part: T,
}

pub enum Color { Red, Rgb(u8, u8, u8), Named { name: String } }

pub trait Shape: Base {
    const SIDES: u32;
    type Unit;
    fn area(&self, scale: f64) -> f64;
    fn double(&self) -> f64 { self.area(2.0) }
}

impl<'a, T> Circle<'a, T> {
    pub fn new(radius: f64) -> Self {
        let local = helper(radius, LIMIT);
        Circle { radius: local, name: "x", part: Default::default() }
    }
}

impl<'a, T> Shape for Circle<'a, T> {
    fn area(&self, scale: f64) -> f64 { self.radius * scale }
}

macro_rules! square { ($x:expr) => { $x * $x }; }

mod inner {
    pub async unsafe fn run(map: &HashMap<String, super::Entry>) -> Color { println!("{}", map.len()); Color::Red }
}

fn main() { let c = Circle::<u8>::new(1.0); inner::run(&c); }
