CREATE TABLE public.aliases (
    name character varying NOT NULL,
    alias character varying NOT NULL,
    version integer NOT NULL
);
CREATE TABLE public.models (
    id integer NOT NULL,
    name character varying NOT NULL,
    version integer NOT NULL,
    task character varying NOT NULL,
    run_id character varying,
    folder character varying NOT NULL,
    sha256 character varying NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.models_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.models_id_seq OWNED BY public.models.id;
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
    data json NOT NULL,
    folder character varying NOT NULL,
    model character varying,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    error character varying
);
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
ALTER TABLE ONLY public.models ALTER COLUMN id SET DEFAULT nextval('public.models_id_seq'::regclass);
ALTER TABLE ONLY public.scores ALTER COLUMN id SET DEFAULT nextval('public.scores_id_seq'::regclass);
INSERT INTO public.aliases VALUES ('de-en', 'champion', 1);
INSERT INTO public.models VALUES (1, 'de-en', 1, 'translation', '20261121-000000-a1b2c3', '/models/a', 'c0ffee', '2026-11-21 00:01:00+00');
INSERT INTO public.runs VALUES ('20261121-000000-a1b2c3', 'train', 'finished', 'de-en', 'translation', '{"train": {"steps": 20}}', 1, 'cpu', 'no GPU was found', '{"torch": "2.11.0"}', '{"train.de": "ab12"}', '/runs/a', 'models:/de-en/1', '2026-11-21 00:00:00+00', '2026-11-21 00:02:00+00', NULL);
INSERT INTO public.scores VALUES (1, '20261121-000000-a1b2c3', NULL, 'bleu', 31.5, 'valid', 20, 'nrefs:1|case:mixed', '{}');
INSERT INTO public.scores VALUES (2, NULL, 1, 'bleu', 31.5, 'valid', 20, 'nrefs:1|case:mixed', '{}');
INSERT INTO public.seqloom_schema VALUES ('0002');
SELECT pg_catalog.setval('public.models_id_seq', 1, true);
SELECT pg_catalog.setval('public.scores_id_seq', 2, true);
ALTER TABLE ONLY public.aliases
    ADD CONSTRAINT pk_aliases PRIMARY KEY (name, alias);
ALTER TABLE ONLY public.models
    ADD CONSTRAINT pk_models PRIMARY KEY (id);
ALTER TABLE ONLY public.runs
    ADD CONSTRAINT pk_runs PRIMARY KEY (id);
ALTER TABLE ONLY public.scores
    ADD CONSTRAINT pk_scores PRIMARY KEY (id);
ALTER TABLE ONLY public.seqloom_schema
    ADD CONSTRAINT seqloom_schema_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.models
    ADD CONSTRAINT uq_models_name_version UNIQUE (name, version);
CREATE INDEX ix_runs_started_at ON public.runs USING btree (started_at);
CREATE INDEX ix_scores_model_id ON public.scores USING btree (model_id);
CREATE INDEX ix_scores_run_id ON public.scores USING btree (run_id);
ALTER TABLE ONLY public.aliases
    ADD CONSTRAINT fk_aliases_name_version FOREIGN KEY (name, version) REFERENCES public.models(name, version);
ALTER TABLE ONLY public.models
    ADD CONSTRAINT fk_models_run_id FOREIGN KEY (run_id) REFERENCES public.runs(id);
ALTER TABLE ONLY public.scores
    ADD CONSTRAINT fk_scores_model_id FOREIGN KEY (model_id) REFERENCES public.models(id);
ALTER TABLE ONLY public.scores
    ADD CONSTRAINT fk_scores_run_id FOREIGN KEY (run_id) REFERENCES public.runs(id);
