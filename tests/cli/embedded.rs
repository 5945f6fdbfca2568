//! A host's own tool, which knows the host's flow: everything works.

use std::sync::Arc;

use onramp::prelude::*;
use serde_json::{Value, json};

use crate::golden;
use crate::platform::Platform;
use crate::signup::Signups;
use crate::support::database::Database;
use crate::support::opened::Opened;
use crate::tasks::Faults;
use crate::typed::Tool;
use crate::workspace::{self, BusinessInfo, PaymentConfirmed, Workspace};

/// The quickstart's service on a database, with its files in a folder.
pub(crate) struct Service {
    onramp: Onramp<Workspace>,
    pub(crate) tool: Tool,
    _data: tempfile::TempDir,
}

impl Service {
    pub(crate) async fn new(database: &Database) -> Self {
        let data = tempfile::tempdir().unwrap();
        let platform = Platform::open(data.path()).await.unwrap();
        let nobody = Signups {
            lines: 0,
            accepted: Vec::new(),
            repeated: 0,
            refused: Vec::new(),
        };
        let flow = workspace::flow(&platform, Faults::of(&nobody)).unwrap();
        let store = Opened::new(database).store().await.unwrap();
        Self {
            onramp: Onramp::shared(store, flow),
            tool: Tool::operator(database, data.path()),
            _data: data,
        }
    }

    /// Started, with the business given; branding is next.
    pub(crate) async fn answered(&self, subject: &str) {
        let (tenant, subject) = (
            TenantId::new("acme").unwrap(),
            SubjectId::new(subject).unwrap(),
        );
        let found = self.onramp.enroll(&tenant, &subject).await.unwrap();
        let pending = found.into_pending().unwrap();
        let clearance = self.onramp.clear(&pending).await.unwrap();
        let running = self.onramp.commit(pending.start(clearance)).await.unwrap();
        let info: BusinessInfo = serde_json::from_value(json!({
            "company_name": "Acme GmbH", "contact": "Ada", "email": "ada@acme.example",
            "phone": "+4930123456", "currency": "EUR", "timezone": "Europe/Berlin", "region": "eu",
        }))
        .unwrap();
        let _ = self.onramp.commit(running.submit(info)).await.unwrap();
    }

    async fn paid(&self, subject: &str) {
        let (tenant, subject) = (
            TenantId::new("acme").unwrap(),
            SubjectId::new(subject).unwrap(),
        );
        let found = self.onramp.open(&tenant, &subject).await.unwrap().unwrap();
        let running = found.into_in_progress().unwrap();
        let (plan, invoice) = (workspace::Plan::Starter, "inv-1".to_owned());
        let paid = PaymentConfirmed { plan, invoice };
        let _ = self.onramp.commit(running.attest(paid)).await.unwrap();
    }

    async fn work(&self) {
        let engine = Engine::builder(Arc::clone(self.onramp.store())).flow(self.onramp.flow());
        engine.build().run_until_idle().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_finds_out_why_and_does_something_about_it() {
    for database in Database::each().await {
        let service = Service::new(&database).await;
        service.answered("org-1").await;
        let (tool, who) = (&service.tool, "--tenant acme --subject org-1");
        let by = format!("{who} --operator ann");

        let status = tool.json(&format!("status {who}"), 0).await;
        golden::holds("status", &status);
        let known = &status["onboardings"][0]["status"];
        assert_eq!(known["current_step"], "branding");
        assert!(
            tool.text(&format!("status {who}"))
                .await
                .contains("answer: branding")
        );
        let explained = tool.json(&format!("explain {who}"), 0).await;
        golden::holds("explain", &explained);
        assert_eq!(explained["obstacles"][0]["step"], "branding");
        assert!(
            tool.text(&format!("explain {who}"))
                .await
                .contains("waits for the subject")
        );

        let waived = format!("waive {by} --step branding --reason ticket-7");
        let waived = tool.json(&waived, 0).await;
        golden::holds("waive", &waived);
        let explained = tool.json(&format!("explain {who}"), 0).await;
        assert_eq!(explained["obstacles"][0]["step"], "payment");
        assert_eq!(explained["obstacles"][0]["on"], "third_party");

        for (line, code) in [
            (
                format!("waive {by} --step nothing --reason ticket-7"),
                "refused",
            ),
            (format!("retry {by}"), "refused"),
            (format!("retry {by} --undo"), "refused"),
            (format!("retry {by} --flow other"), "absent"),
        ] {
            assert_eq!(tool.json(&line, 1).await["error"]["code"], code, "{line}");
        }
        assert_eq!(
            tool.json(&format!("park {by} --reason ticket-8"), 0).await["operation"],
            "park"
        );
        let parked = tool.json(&format!("status {who}"), 0).await;
        assert_eq!(parked["onboardings"][0]["parked"]["reason"], "ticket-8");
        assert_eq!(
            tool.json(&format!("unpark {by}"), 0).await["stage"],
            "in_progress"
        );

        assert_eq!(
            tool.json(&format!("cancel {by}"), 2).await["error"]["code"],
            "usage"
        );
        let _ = tool.json(&format!("cancel {by} --yes"), 0).await;
        service.work().await;
        let failed = tool.json(&format!("explain {who}"), 0).await;
        assert_eq!(failed["obstacles"][0]["kind"], "given_up");
        assert_eq!(
            tool.json(&format!("retry {by}"), 0).await["stage"],
            "in_progress"
        );

        let journal = tool.json(&format!("journal {who}"), 0).await;
        let entries = journal["entries"].as_array().unwrap();
        let mine = entries.iter().filter(|entry| entry["by"] == "operator:ann");
        let mine: Vec<_> = mine.map(|entry| &entry["events"][0]["event"]).collect();
        let names = ["step_waived", "parked", "unparked"].map(Value::from);
        assert!(names.iter().all(|name| mine.contains(&name)), "{mine:?}");
        assert_eq!(mine.len(), 5, "one entry for each that was done: {mine:?}");
        assert!(journal.to_string().contains("ticket-7"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_of_a_flow_is_counted_drawn_and_looked_after() {
    for database in Database::each().await {
        let service = Service::new(&database).await;
        service.answered("org-1").await;
        service.answered("org-2").await;
        let tool = &service.tool;
        let funnel = tool.json("funnel", 0).await;
        golden::holds("funnel", &funnel);
        assert_eq!(
            (&funnel["flow"], &funnel["total"]["enrolled"]),
            (&"workspace".into(), &2.into())
        );
        assert_eq!(
            tool.json("funnel --until 2020-01-01", 0).await["total"]["enrolled"],
            0
        );
        assert_eq!(
            tool.json("funnel --tenant other", 0).await["total"]["enrolled"],
            0
        );
        assert_eq!(
            tool.json("funnel --from 2020-01-01", 0).await["total"]["enrolled"],
            2
        );
        assert!(tool.text("funnel").await.contains("business_info"));
        assert!(
            tool.text("funnel --csv")
                .await
                .starts_with("version,enrolled,")
        );
        let unknown = tool.json("funnel --flow other", 1).await;
        assert!(
            unknown["error"]["hint"]
                .as_str()
                .unwrap()
                .contains("it knows workspace")
        );

        let drawn = tool.json("diagram", 0).await;
        assert!(
            drawn["text"].as_str().unwrap().contains("business_info"),
            "{drawn}"
        );
        let doctor = tool.json("doctor", 0).await;
        assert_eq!(
            (&doctor["well"], &doctor["flows"][0]["known"]),
            (&true.into(), &true.into())
        );
        let by = "--tenant acme --subject org-1 --operator ann --reason ticket-1";
        let _ = tool.json(&format!("waive {by} --step branding"), 0).await;
        service.paid("org-1").await;
        let neglected = tool.json("doctor --patience 0s", 3).await;
        let findings = neglected["findings"].as_array().unwrap();
        let found = findings.iter().find(|found| found["code"] == "neglected");
        assert_eq!(
            found.unwrap()["step"],
            "reserve_slug",
            "no worker runs: {neglected}"
        );
        service.work().await;
        let done = tool.json("status --tenant acme --subject org-1", 0).await;
        assert_eq!(done["onboardings"][0]["status"]["percent"], 100);
        let nothing = tool.json("explain --tenant acme --subject org-1", 0).await;
        assert_eq!(nothing["obstacles"], json!([]));
    }
}
