CREATE TABLE public.alias_changes (
    id integer NOT NULL,
    name character varying NOT NULL,
    alias character varying NOT NULL,
    version integer,
    former integer,
    at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.alias_changes_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.alias_changes_id_seq OWNED BY public.alias_changes.id;
CREATE TABLE public.aliases (
    name character varying NOT NULL,
    alias character varying NOT NULL,
    version integer NOT NULL
);
CREATE TABLE public.artefacts (
    id integer NOT NULL,
    run_id character varying NOT NULL,
    kind character varying NOT NULL,
    path character varying NOT NULL,
    sha256 character varying NOT NULL,
    bytes bigint NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.artefacts_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.artefacts_id_seq OWNED BY public.artefacts.id;
CREATE TABLE public.data_files (
    sha256 character varying NOT NULL,
    bytes bigint,
    rows bigint
);
CREATE TABLE public.events (
    id integer NOT NULL,
    run_id character varying NOT NULL,
    at timestamp with time zone NOT NULL,
    kind character varying NOT NULL,
    details json NOT NULL
);
CREATE SEQUENCE public.events_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.events_id_seq OWNED BY public.events.id;
CREATE TABLE public.models (
    id integer NOT NULL,
    name character varying NOT NULL,
    version integer NOT NULL,
    task character varying NOT NULL,
    run_id character varying,
    folder character varying NOT NULL,
    sha256 character varying NOT NULL,
    created_at timestamp with time zone NOT NULL,
    deleted_at timestamp with time zone,
    purged_at timestamp with time zone
);
CREATE SEQUENCE public.models_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.models_id_seq OWNED BY public.models.id;
CREATE TABLE public.notes (
    id integer NOT NULL,
    run_id character varying,
    model_id integer,
    at timestamp with time zone NOT NULL,
    text character varying NOT NULL,
    CONSTRAINT ck_notes_one_owner CHECK (((run_id IS NULL) <> (model_id IS NULL)))
);
CREATE SEQUENCE public.notes_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.notes_id_seq OWNED BY public.notes.id;
CREATE TABLE public.run_data (
    run_id character varying NOT NULL,
    split character varying NOT NULL,
    path character varying NOT NULL,
    sha256 character varying NOT NULL
);
CREATE TABLE public.run_settings (
    setting_id bigint NOT NULL,
    run_id character varying NOT NULL
);
CREATE TABLE public.runs (
    id character varying NOT NULL,
    kind character varying NOT NULL,
    status character varying NOT NULL,
    name character varying NOT NULL,
    task character varying NOT NULL,
    config json NOT NULL,
    seed bigint NOT NULL,
    device character varying NOT NULL,
    device_reason character varying NOT NULL,
    versions json NOT NULL,
    folder character varying NOT NULL,
    model character varying,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    error character varying,
    environment json,
    git json,
    deleted_at timestamp with time zone,
    purged_at timestamp with time zone
);
CREATE TABLE public.score_summaries (
    id integer NOT NULL,
    run_id character varying,
    model_id integer,
    metric character varying NOT NULL,
    step bigint NOT NULL,
    latest double precision,
    "least" double precision,
    most double precision,
    CONSTRAINT ck_score_summaries_one_owner CHECK (((run_id IS NULL) <> (model_id IS NULL)))
);
CREATE SEQUENCE public.score_summaries_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.score_summaries_id_seq OWNED BY public.score_summaries.id;
CREATE TABLE public.scores (
    id integer NOT NULL,
    run_id character varying,
    model_id integer,
    metric character varying NOT NULL,
    value double precision,
    split character varying NOT NULL,
    step bigint NOT NULL,
    signature character varying NOT NULL,
    parts json,
    CONSTRAINT ck_scores_one_owner CHECK (((run_id IS NULL) <> (model_id IS NULL)))
);
CREATE SEQUENCE public.scores_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.scores_id_seq OWNED BY public.scores.id;
CREATE TABLE public.seqloom_schema (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.settings (
    id bigint NOT NULL,
    key character varying NOT NULL,
    value character varying NOT NULL
);
CREATE TABLE public.tags (
    id integer NOT NULL,
    run_id character varying,
    model_id integer,
    key character varying NOT NULL,
    value character varying NOT NULL,
    CONSTRAINT ck_tags_one_owner CHECK (((run_id IS NULL) <> (model_id IS NULL)))
);
CREATE SEQUENCE public.tags_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.tags_id_seq OWNED BY public.tags.id;
ALTER TABLE ONLY public.alias_changes ALTER COLUMN id SET DEFAULT nextval('public.alias_changes_id_seq'::regclass);
ALTER TABLE ONLY public.artefacts ALTER COLUMN id SET DEFAULT nextval('public.artefacts_id_seq'::regclass);
ALTER TABLE ONLY public.events ALTER COLUMN id SET DEFAULT nextval('public.events_id_seq'::regclass);
ALTER TABLE ONLY public.models ALTER COLUMN id SET DEFAULT nextval('public.models_id_seq'::regclass);
ALTER TABLE ONLY public.notes ALTER COLUMN id SET DEFAULT nextval('public.notes_id_seq'::regclass);
ALTER TABLE ONLY public.score_summaries ALTER COLUMN id SET DEFAULT nextval('public.score_summaries_id_seq'::regclass);
ALTER TABLE ONLY public.scores ALTER COLUMN id SET DEFAULT nextval('public.scores_id_seq'::regclass);
ALTER TABLE ONLY public.tags ALTER COLUMN id SET DEFAULT nextval('public.tags_id_seq'::regclass);
INSERT INTO public.alias_changes VALUES (1, 'de-en', 'old', 1, NULL, '2026-11-21 00:03:00+00');
INSERT INTO public.alias_changes VALUES (2, 'de-en', 'old', NULL, 1, '2026-11-21 00:03:00+00');
INSERT INTO public.aliases VALUES ('de-en', 'champion', 1);
INSERT INTO public.artefacts VALUES (1, '20261121-000000-a1b2c3', 'checkpoint', '/runs/a/checkpoints/20', 'cd34', 99, '2026-11-21 00:03:00+00');
INSERT INTO public.data_files VALUES ('ab12', 10, 2);
INSERT INTO public.events VALUES (1, '20261121-000000-a1b2c3', '2026-11-21 00:03:00+00', 'resumed', '{"step": 10}');
INSERT INTO public.models VALUES (1, 'de-en', 1, 'translation', '20261121-000000-a1b2c3', '/models/a', 'c0ffee', '2026-11-21 00:01:00+00', NULL, NULL);
INSERT INTO public.notes VALUES (1, '20261121-000000-a1b2c3', NULL, '2026-11-21 00:03:00+00', 'a first try');
INSERT INTO public.notes VALUES (2, NULL, 1, '2026-11-21 00:03:00+00', 'the best so far');
INSERT INTO public.run_data VALUES ('20261121-000000-a1b2c3', 'train', 'train.de', 'ab12');
INSERT INTO public.run_settings VALUES (-9106453111931207228, '20261121-000000-a1b2c3');
INSERT INTO public.runs VALUES ('20261121-000000-a1b2c3', 'train', 'finished', 'de-en', 'translation', '{"train": {"steps": 20}}', 1, 'cpu', 'no GPU was found', '{"torch": "2.11.0"}', '/runs/a', 'models:/de-en/1', '2026-11-21 00:00:00+00', '2026-11-21 00:02:00+00', NULL, '{"cpu": "a"}', '{"commit": "0123abc"}', NULL, NULL);
INSERT INTO public.score_summaries VALUES (1, NULL, 1, 'bleu', 20, 31.5, 31.5, 31.5);
INSERT INTO public.score_summaries VALUES (2, '20261121-000000-a1b2c3', NULL, 'bleu', 20, 31.5, 31.5, 31.5);
INSERT INTO public.scores VALUES (1, '20261121-000000-a1b2c3', NULL, 'bleu', 31.5, 'valid', 20, 'nrefs:1|case:mixed', '{}');
INSERT INTO public.scores VALUES (2, NULL, 1, 'bleu', 31.5, 'valid', 20, 'nrefs:1|case:mixed', '{}');
INSERT INTO public.seqloom_schema VALUES ('0005');
INSERT INTO public.settings VALUES (-9106453111931207228, 'train.steps', '20');
INSERT INTO public.tags VALUES (1, '20261121-000000-a1b2c3', NULL, 'team', 'mt');
INSERT INTO public.tags VALUES (2, NULL, 1, 'team', 'mt');
SELECT pg_catalog.setval('public.alias_changes_id_seq', 2, true);
SELECT pg_catalog.setval('public.artefacts_id_seq', 1, true);
SELECT pg_catalog.setval('public.events_id_seq', 1, true);
SELECT pg_catalog.setval('public.models_id_seq', 1, true);
SELECT pg_catalog.setval('public.notes_id_seq', 2, true);
SELECT pg_catalog.setval('public.score_summaries_id_seq', 2, true);
SELECT pg_catalog.setval('public.scores_id_seq', 2, true);
SELECT pg_catalog.setval('public.tags_id_seq', 2, true);
ALTER TABLE ONLY public.alias_changes
    ADD CONSTRAINT pk_alias_changes PRIMARY KEY (id);
ALTER TABLE ONLY public.aliases
    ADD CONSTRAINT pk_aliases PRIMARY KEY (name, alias);
ALTER TABLE ONLY public.artefacts
    ADD CONSTRAINT pk_artefacts PRIMARY KEY (id);
ALTER TABLE ONLY public.data_files
    ADD CONSTRAINT pk_data_files PRIMARY KEY (sha256);
ALTER TABLE ONLY public.events
    ADD CONSTRAINT pk_events PRIMARY KEY (id);
ALTER TABLE ONLY public.models
    ADD CONSTRAINT pk_models PRIMARY KEY (id);
ALTER TABLE ONLY public.notes
    ADD CONSTRAINT pk_notes PRIMARY KEY (id);
ALTER TABLE ONLY public.run_data
    ADD CONSTRAINT pk_run_data PRIMARY KEY (run_id, split, path);
ALTER TABLE ONLY public.run_settings
    ADD CONSTRAINT pk_run_settings PRIMARY KEY (setting_id, run_id);
ALTER TABLE ONLY public.runs
    ADD CONSTRAINT pk_runs PRIMARY KEY (id);
ALTER TABLE ONLY public.score_summaries
    ADD CONSTRAINT pk_score_summaries PRIMARY KEY (id);
ALTER TABLE ONLY public.scores
    ADD CONSTRAINT pk_scores PRIMARY KEY (id);
ALTER TABLE ONLY public.settings
    ADD CONSTRAINT pk_settings PRIMARY KEY (id);
ALTER TABLE ONLY public.tags
    ADD CONSTRAINT pk_tags PRIMARY KEY (id);
ALTER TABLE ONLY public.seqloom_schema
    ADD CONSTRAINT seqloom_schema_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.artefacts
    ADD CONSTRAINT uq_artefacts_run_id_path UNIQUE (run_id, path);
ALTER TABLE ONLY public.models
    ADD CONSTRAINT uq_models_name_version UNIQUE (name, version);
ALTER TABLE ONLY public.score_summaries
    ADD CONSTRAINT uq_score_summaries_model_id_metric UNIQUE (model_id, metric);
ALTER TABLE ONLY public.score_summaries
    ADD CONSTRAINT uq_score_summaries_run_id_metric UNIQUE (run_id, metric);
ALTER TABLE ONLY public.tags
    ADD CONSTRAINT uq_tags_model_id_key UNIQUE (model_id, key);
ALTER TABLE ONLY public.tags
    ADD CONSTRAINT uq_tags_run_id_key UNIQUE (run_id, key);
CREATE INDEX ix_alias_changes_name ON public.alias_changes USING btree (name);
CREATE INDEX ix_artefacts_kind ON public.artefacts USING btree (kind);
CREATE INDEX ix_artefacts_sha256 ON public.artefacts USING btree (sha256);
CREATE INDEX ix_events_kind ON public.events USING btree (kind);
CREATE INDEX ix_events_run_id ON public.events USING btree (run_id);
CREATE INDEX ix_models_created_at ON public.models USING btree (created_at);
CREATE INDEX ix_models_run_id ON public.models USING btree (run_id);
CREATE INDEX ix_notes_model_id ON public.notes USING btree (model_id);
CREATE INDEX ix_notes_run_id ON public.notes USING btree (run_id);
CREATE INDEX ix_run_data_sha256 ON public.run_data USING btree (sha256);
CREATE INDEX ix_runs_model ON public.runs USING btree (model);
CREATE INDEX ix_runs_started_at ON public.runs USING btree (started_at);
CREATE INDEX ix_score_summaries_metric_model_id_latest_least_most ON public.score_summaries USING btree (metric, model_id, latest, "least", most) WHERE (model_id IS NOT NULL);
CREATE INDEX ix_score_summaries_metric_run_id_latest_least_most ON public.score_summaries USING btree (metric, run_id, latest, "least", most) WHERE (run_id IS NOT NULL);
CREATE INDEX ix_scores_metric_step_model_id ON public.scores USING btree (metric, step, model_id) WHERE (model_id IS NOT NULL);
CREATE INDEX ix_scores_metric_step_run_id ON public.scores USING btree (metric, step, run_id) WHERE (run_id IS NOT NULL);
CREATE INDEX ix_scores_model_id ON public.scores USING btree (model_id);
CREATE INDEX ix_scores_run_id ON public.scores USING btree (run_id);
CREATE INDEX ix_settings_key ON public.settings USING btree (key);
CREATE INDEX ix_tags_key ON public.tags USING btree (key);
ALTER TABLE ONLY public.aliases
    ADD CONSTRAINT fk_aliases_name_version FOREIGN KEY (name, version) REFERENCES public.models(name, version);
ALTER TABLE ONLY public.artefacts
    ADD CONSTRAINT fk_artefacts_run_id FOREIGN KEY (run_id) REFERENCES public.runs(id);
ALTER TABLE ONLY public.events
    ADD CONSTRAINT fk_events_run_id FOREIGN KEY (run_id) REFERENCES public.runs(id);
ALTER TABLE ONLY public.models
    ADD CONSTRAINT fk_models_run_id FOREIGN KEY (run_id) REFERENCES public.runs(id);
ALTER TABLE ONLY public.notes
    ADD CONSTRAINT fk_notes_model_id FOREIGN KEY (model_id) REFERENCES public.models(id);
ALTER TABLE ONLY public.notes
    ADD CONSTRAINT fk_notes_run_id FOREIGN KEY (run_id) REFERENCES public.runs(id);
ALTER TABLE ONLY public.run_data
    ADD CONSTRAINT fk_run_data_run_id FOREIGN KEY (run_id) REFERENCES public.runs(id);
ALTER TABLE ONLY public.run_data
    ADD CONSTRAINT fk_run_data_sha256 FOREIGN KEY (sha256) REFERENCES public.data_files(sha256);
ALTER TABLE ONLY public.run_settings
    ADD CONSTRAINT fk_run_settings_run_id FOREIGN KEY (run_id) REFERENCES public.runs(id);
ALTER TABLE ONLY public.run_settings
    ADD CONSTRAINT fk_run_settings_setting_id FOREIGN KEY (setting_id) REFERENCES public.settings(id);
ALTER TABLE ONLY public.score_summaries
    ADD CONSTRAINT fk_score_summaries_model_id FOREIGN KEY (model_id) REFERENCES public.models(id);
ALTER TABLE ONLY public.score_summaries
    ADD CONSTRAINT fk_score_summaries_run_id FOREIGN KEY (run_id) REFERENCES public.runs(id);
ALTER TABLE ONLY public.scores
    ADD CONSTRAINT fk_scores_model_id FOREIGN KEY (model_id) REFERENCES public.models(id);
ALTER TABLE ONLY public.scores
    ADD CONSTRAINT fk_scores_run_id FOREIGN KEY (run_id) REFERENCES public.runs(id);
ALTER TABLE ONLY public.tags
    ADD CONSTRAINT fk_tags_model_id FOREIGN KEY (model_id) REFERENCES public.models(id);
ALTER TABLE ONLY public.tags
    ADD CONSTRAINT fk_tags_run_id FOREIGN KEY (run_id) REFERENCES public.runs(id);
