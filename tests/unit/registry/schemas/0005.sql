BEGIN TRANSACTION;
CREATE TABLE alias_changes (
	id INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	alias VARCHAR NOT NULL, 
	version INTEGER, 
	former INTEGER, 
	at DATETIME NOT NULL, 
	CONSTRAINT pk_alias_changes PRIMARY KEY (id)
);
INSERT INTO "alias_changes" VALUES(1,'de-en','old',1,NULL,'2026-11-21 00:03:00.000000');
INSERT INTO "alias_changes" VALUES(2,'de-en','old',NULL,1,'2026-11-21 00:03:00.000000');
CREATE TABLE aliases (
	name VARCHAR NOT NULL, 
	alias VARCHAR NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_aliases PRIMARY KEY (name, alias), 
	CONSTRAINT fk_aliases_name_version FOREIGN KEY(name, version) REFERENCES models (name, version)
);
INSERT INTO "aliases" VALUES('de-en','champion',1);
CREATE TABLE artefacts (
	id INTEGER NOT NULL, 
	run_id VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	path VARCHAR NOT NULL, 
	sha256 VARCHAR NOT NULL, 
	bytes BIGINT NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_artefacts PRIMARY KEY (id), 
	CONSTRAINT fk_artefacts_run_id FOREIGN KEY(run_id) REFERENCES runs (id), 
	CONSTRAINT uq_artefacts_run_id_path UNIQUE (run_id, path)
);
INSERT INTO "artefacts" VALUES(1,'20261121-000000-a1b2c3','checkpoint','/runs/a/checkpoints/20','cd34',99,'2026-11-21 00:03:00.000000');
CREATE TABLE data_files (
	sha256 VARCHAR NOT NULL, 
	bytes BIGINT, 
	rows BIGINT, 
	CONSTRAINT pk_data_files PRIMARY KEY (sha256)
);
INSERT INTO "data_files" VALUES('ab12',10,2);
CREATE TABLE events (
	id INTEGER NOT NULL, 
	run_id VARCHAR NOT NULL, 
	at DATETIME NOT NULL, 
	kind VARCHAR NOT NULL, 
	details JSON NOT NULL, 
	CONSTRAINT pk_events PRIMARY KEY (id), 
	CONSTRAINT fk_events_run_id FOREIGN KEY(run_id) REFERENCES runs (id)
);
INSERT INTO "events" VALUES(1,'20261121-000000-a1b2c3','2026-11-21 00:03:00.000000','resumed','{"step": 10}');
CREATE TABLE models (
	id INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	version INTEGER NOT NULL, 
	task VARCHAR NOT NULL, 
	run_id VARCHAR, 
	folder VARCHAR NOT NULL, 
	sha256 VARCHAR NOT NULL, 
	created_at DATETIME NOT NULL, deleted_at DATETIME, purged_at DATETIME, 
	CONSTRAINT pk_models PRIMARY KEY (id), 
	CONSTRAINT fk_models_run_id FOREIGN KEY(run_id) REFERENCES runs (id), 
	CONSTRAINT uq_models_name_version UNIQUE (name, version)
);
INSERT INTO "models" VALUES(1,'de-en',1,'translation','20261121-000000-a1b2c3','/models/a','c0ffee','2026-11-21 00:01:00.000000',NULL,NULL);
CREATE TABLE notes (
	id INTEGER NOT NULL, 
	run_id VARCHAR, 
	model_id INTEGER, 
	at DATETIME NOT NULL, 
	text VARCHAR NOT NULL, 
	CONSTRAINT pk_notes PRIMARY KEY (id), 
	CONSTRAINT ck_notes_one_owner CHECK ((run_id IS NULL) <> (model_id IS NULL)), 
	CONSTRAINT fk_notes_run_id FOREIGN KEY(run_id) REFERENCES runs (id), 
	CONSTRAINT fk_notes_model_id FOREIGN KEY(model_id) REFERENCES models (id)
);
INSERT INTO "notes" VALUES(1,'20261121-000000-a1b2c3',NULL,'2026-11-21 00:03:00.000000','a first try');
INSERT INTO "notes" VALUES(2,NULL,1,'2026-11-21 00:03:00.000000','the best so far');
CREATE TABLE run_data (
	run_id VARCHAR NOT NULL, 
	split VARCHAR NOT NULL, 
	path VARCHAR NOT NULL, 
	sha256 VARCHAR NOT NULL, 
	CONSTRAINT pk_run_data PRIMARY KEY (run_id, split, path), 
	CONSTRAINT fk_run_data_run_id FOREIGN KEY(run_id) REFERENCES runs (id), 
	CONSTRAINT fk_run_data_sha256 FOREIGN KEY(sha256) REFERENCES data_files (sha256)
);
INSERT INTO "run_data" VALUES('20261121-000000-a1b2c3','train','train.de','ab12');
CREATE TABLE run_settings (
	setting_id BIGINT NOT NULL, 
	run_id VARCHAR NOT NULL, 
	CONSTRAINT pk_run_settings PRIMARY KEY (setting_id, run_id), 
	CONSTRAINT fk_run_settings_setting_id FOREIGN KEY(setting_id) REFERENCES settings (id), 
	CONSTRAINT fk_run_settings_run_id FOREIGN KEY(run_id) REFERENCES runs (id)
)
 WITHOUT ROWID

;
INSERT INTO "run_settings" VALUES(-9106453111931207228,'20261121-000000-a1b2c3');
CREATE TABLE runs (
	id VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	status VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	task VARCHAR NOT NULL, 
	config JSON NOT NULL, 
	seed BIGINT NOT NULL, 
	device VARCHAR NOT NULL, 
	device_reason VARCHAR NOT NULL, 
	versions JSON NOT NULL, 
	folder VARCHAR NOT NULL, 
	model VARCHAR, 
	started_at DATETIME NOT NULL, 
	ended_at DATETIME, 
	error VARCHAR, environment JSON, git JSON, deleted_at DATETIME, purged_at DATETIME, 
	CONSTRAINT pk_runs PRIMARY KEY (id)
);
INSERT INTO "runs" VALUES('20261121-000000-a1b2c3','train','finished','de-en','translation','{"train": {"steps": 20}}',1,'cpu','no GPU was found','{"torch": "2.11.0"}','/runs/a','models:/de-en/1','2026-11-21 00:00:00.000000','2026-11-21 00:02:00.000000',NULL,'{"cpu": "a"}','{"commit": "0123abc"}',NULL,NULL);
CREATE TABLE score_summaries (
	id INTEGER NOT NULL, 
	run_id VARCHAR, 
	model_id INTEGER, 
	metric VARCHAR NOT NULL, 
	step BIGINT NOT NULL, 
	latest DOUBLE, 
	least DOUBLE, 
	most DOUBLE, 
	CONSTRAINT pk_score_summaries PRIMARY KEY (id), 
	CONSTRAINT ck_score_summaries_one_owner CHECK ((run_id IS NULL) <> (model_id IS NULL)), 
	CONSTRAINT fk_score_summaries_run_id FOREIGN KEY(run_id) REFERENCES runs (id), 
	CONSTRAINT fk_score_summaries_model_id FOREIGN KEY(model_id) REFERENCES models (id), 
	CONSTRAINT uq_score_summaries_run_id_metric UNIQUE (run_id, metric), 
	CONSTRAINT uq_score_summaries_model_id_metric UNIQUE (model_id, metric)
);
INSERT INTO "score_summaries" VALUES(1,NULL,1,'bleu',20,31.5,31.5,31.5);
INSERT INTO "score_summaries" VALUES(2,'20261121-000000-a1b2c3',NULL,'bleu',20,31.5,31.5,31.5);
CREATE TABLE scores (
	id INTEGER NOT NULL, 
	run_id VARCHAR, 
	model_id INTEGER, 
	metric VARCHAR NOT NULL, 
	value DOUBLE, 
	split VARCHAR NOT NULL, 
	step BIGINT NOT NULL, 
	signature VARCHAR NOT NULL, parts JSON, 
	CONSTRAINT pk_scores PRIMARY KEY (id), 
	CONSTRAINT fk_scores_run_id FOREIGN KEY(run_id) REFERENCES runs (id), 
	CONSTRAINT fk_scores_model_id FOREIGN KEY(model_id) REFERENCES models (id), 
	CONSTRAINT ck_scores_one_owner CHECK ((run_id IS NULL) <> (model_id IS NULL))
);
INSERT INTO "scores" VALUES(1,'20261121-000000-a1b2c3',NULL,'bleu',31.5,'valid',20,'nrefs:1|case:mixed','{}');
INSERT INTO "scores" VALUES(2,NULL,1,'bleu',31.5,'valid',20,'nrefs:1|case:mixed','{}');
CREATE TABLE seqloom_schema (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT seqloom_schema_pkc PRIMARY KEY (version_num)
);
INSERT INTO "seqloom_schema" VALUES('0005');
CREATE TABLE settings (
	id BIGINT NOT NULL, 
	"key" VARCHAR NOT NULL, 
	value VARCHAR NOT NULL, 
	CONSTRAINT pk_settings PRIMARY KEY (id)
);
INSERT INTO "settings" VALUES(-9106453111931207228,'train.steps','20');
CREATE TABLE tags (
	id INTEGER NOT NULL, 
	run_id VARCHAR, 
	model_id INTEGER, 
	"key" VARCHAR NOT NULL, 
	value VARCHAR NOT NULL, 
	CONSTRAINT pk_tags PRIMARY KEY (id), 
	CONSTRAINT ck_tags_one_owner CHECK ((run_id IS NULL) <> (model_id IS NULL)), 
	CONSTRAINT fk_tags_run_id FOREIGN KEY(run_id) REFERENCES runs (id), 
	CONSTRAINT fk_tags_model_id FOREIGN KEY(model_id) REFERENCES models (id), 
	CONSTRAINT uq_tags_run_id_key UNIQUE (run_id, "key"), 
	CONSTRAINT uq_tags_model_id_key UNIQUE (model_id, "key")
);
INSERT INTO "tags" VALUES(1,'20261121-000000-a1b2c3',NULL,'team','mt');
INSERT INTO "tags" VALUES(2,NULL,1,'team','mt');
CREATE INDEX ix_runs_started_at ON runs (started_at);
CREATE INDEX ix_scores_run_id ON scores (run_id);
CREATE INDEX ix_scores_model_id ON scores (model_id);
CREATE INDEX ix_run_data_sha256 ON run_data (sha256);
CREATE INDEX ix_artefacts_sha256 ON artefacts (sha256);
CREATE INDEX ix_events_run_id ON events (run_id);
CREATE INDEX ix_notes_run_id ON notes (run_id);
CREATE INDEX ix_notes_model_id ON notes (model_id);
CREATE INDEX ix_alias_changes_name ON alias_changes (name);
CREATE INDEX ix_runs_model ON runs (model);
CREATE INDEX ix_models_run_id ON models (run_id);
CREATE INDEX ix_score_summaries_metric_run_id_latest_least_most ON score_summaries (metric, run_id, latest, least, most) WHERE run_id IS NOT NULL;
CREATE INDEX ix_scores_metric_step_run_id ON scores (metric, step, run_id) WHERE run_id IS NOT NULL;
CREATE INDEX ix_score_summaries_metric_model_id_latest_least_most ON score_summaries (metric, model_id, latest, least, most) WHERE model_id IS NOT NULL;
CREATE INDEX ix_scores_metric_step_model_id ON scores (metric, step, model_id) WHERE model_id IS NOT NULL;
CREATE INDEX ix_settings_key ON settings ("key");
CREATE INDEX ix_tags_key ON tags ("key");
CREATE INDEX ix_artefacts_kind ON artefacts (kind);
CREATE INDEX ix_events_kind ON events (kind);
CREATE INDEX ix_models_created_at ON models (created_at);
COMMIT;
