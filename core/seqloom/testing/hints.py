"""What is to be done where a contract is broken, for each of their tests that does not say so itself."""

from __future__ import annotations

from collections.abc import Mapping

MASK = "mask padding (Padded.mask, True = real) wherever positions or rows meet"
SEED = "take all randomness from the generator given"
SAVED = "keep all that a result depends on in parameters and buffers"

HINTS: Mapping[str, str] = {
    # entry modules
    "test_the_entry_module_imports_no_torch": "import code within `load`, types under TYPE_CHECKING",
    "test_its_hooks_say_the_same_again": "hooks are pure: whenever asked, they return the same list",
    "test_every_option_is_described": "give the field a description: it is its help text",
    "test_unknown_options_are_refused": "derive options, and sections of them, from seqloom.hooks.Options",
    "test_options_survive_json": "use types that JSON has: a saved job is JSON",
    "test_the_code_of_each_part_is_there": "`load` imports the code and returns its builder",
    # networks
    "test_gradients_reach_every_parameter": "use each parameter, or make it a buffer",
    "test_what_is_loaded_is_what_was_saved": SAVED,
    "test_bfloat16_is_finite": "compute what overflows or cancels in fp32",
    "test_shapes_are_those_announced": "return what the interface's docstring says, shape by shape",
    "test_positions_stand_for_as_many_features_as_announced": "set `stride`: S = ceil(T / stride)",
    "test_lengths_follow_from_lengths": "compute lengths from lengths, not from values",
    "test_an_example_alone_is_as_in_a_batch": MASK,
    "test_weights_are_a_distribution_over_real_positions": MASK,
    "test_hypotheses_do_not_see_each_other": "let nothing pass along K",
    "test_steps_are_as_the_whole": "a position sees itself and those before it, in `step` as in `forward`",
    "test_positions_to_predict_are_rows_of_the_whole": "`at` chooses positions before the output layer",
    "test_attention_is_a_distribution_over_real_positions": MASK,
    "test_a_search_may_gather_and_drop": "a state is a pytree of tensors [B, K, ..], and nothing else",
    "test_a_loss_is_sums": "return sums over targets, never means; detach what is for people",
    "test_losses_of_examples_add_up_to_that_of_the_batch": MASK,
    "test_predictions_are_one_list_a_source_best_first": "sort each source's predictions by their score",
    "test_a_source_alone_is_predicted_as_in_a_batch": MASK,
    # texts
    "test_special_tokens_are_ids_of_their_own": "take the ids below seqloom.tokenizer.SPECIALS",
    "test_ids_are_of_the_vocabulary": "unknown text is the unknown token; BOS and EOS are added by others",
    "test_a_text_written_and_read_again_is_the_same": "decode known text to what encodes to the same ids",
    "test_special_tokens_are_not_text": "leave PAD, BOS and EOS out of what `decode` returns",
    "test_the_same_texts_give_the_same_tokenizer": "break ties by a rule, as by the alphabet",
    "test_a_tokenizer_loaded_is_the_one_saved": "put all that `fit` learned into `state`, JSON-able",
    "test_a_pickled_copy_reads_the_same": "keep no open files, functions or locks",
    "test_a_score_is_a_finite_number": "say what an empty output is worth",
    "test_counts_may_be_exchanged": "count in what JSON has, or in tuples: ranks exchange it",
    "test_the_order_of_examples_does_not_matter": "add up; `math.fsum` loses nothing",
    "test_references_themselves_score_best": "say higher_is_better=False where lower is",
    "test_parts_are_whole_numbers": "name sums that the score is made of",
    "test_equal_metrics_sign_alike_in_one_line": "sign by options and versions",
    # modalities and tasks
    "test_defaults_build_it": "the builder takes the options' defaults",
    "test_data_workers_may_have_a_copy": "keep no open files, functions or locks",
    "test_reading_again_is_the_same": "`read` depends on nothing but what it is given",
    "test_augmentation_follows_its_generator": SEED,
    "test_augmentation_leaves_its_argument": "change a copy",
    "test_a_pickled_copy_reads_and_says_the_same": "keep no open files, functions or locks",
    "test_what_is_normalized_stays_as_it_is": "`normalize` what `normalize` returned, and nothing changes",
    "test_records_are_json": "`render` gives at least text and score, in types that JSON has",
    "test_a_model_folder_is_the_same_when_loaded": SAVED,
}
