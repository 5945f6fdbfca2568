//! A task can only need facts of steps.
#[path = "../common.rs"]
mod common;
use common::*;

struct Count;
impl Task<Signup> for Count {
    type Needs = u32;
    type Output = Site;
    async fn run(&self, _: &TaskContext, _: u32) -> Result<Site, TaskError> {
        Ok(Site(String::new()))
    }
}

fn main() {}
