"""What a tensor is, by the words of its name."""

import pytest

from compress.sources.choice.roles import Role, role_of

NAMES = {
    Role.INPUT: """
        tok_emb.weight token_emb.emb.weight encoder.weight word_emb.emb_layers.0.weight model.embed_tokens.weight
        embedding.weight wte gpt_neox.embed_in.weight transformer.wte.weight shared.weight model.decoder.embed_tokens.weight
        tok_embeddings.weight Wemb embeddings.word_embeddings.weight token_embd.weight
        text_model.embeddings.token_embedding.weight bert/embeddings/word_embeddings
        encoder.embeddings.make_embedding.emb_luts.0.weight src_embed.0.lut.weight embedding/embedding/embeddings:0
        embed.W_E emb token_and_position_embedding/token_emb/embeddings user_embedding.user_embedding_W lookup.weight
        tok.weight word.weight embedding_bag_collection.embedding_bags.t_cat_0.weight
        ebc.embedding_bags.product_table.weight tables.0.weight user_factors debiased_embedding.weight
        composition.embed.weight model.embed_tokens.qweight model.embed_tokens.base_layer.weight layers.0.wte
        ebc.embedding_bags.movie_type.weight
        optimizer/target/token_embedder/embedding
        base_model.model.model.embed_tokens.modules_to_save.default.weight average_word_embeddings decoder.embedding.weight""",
    Role.OUTPUT: """
        head.weight to_logits.weight decoder.weight crit.out_layers.0.weight embed_out.weight decoder.embed_out
        lm_head.weight unembed.W_U output.weight cls.predictions.decoder.weight lm_head.decoder.weight
        vocab_projector.weight proj_out.weight generator.proj.weight decoder.output_projection.weight
        transformer.output_layer.weight lm_loss.weight pred_layer.proj.weight fc_out.weight""",
    Role.WEIGHT: """
        model.layers.0.mlp.up_proj.weight encoder.layer.0.attention.output.dense.weight
        model.layers.0.self_attn.out_proj.weight embeddings_project.weight encoder.embedding_hidden_mapping_in.weight
        mlp.shared_expert_gate.weight vocab_transform.weight embedding.dense.kernel patch_embed.proj.weight fc1.weight
        classifier.weight""",
    Role.PART: """
        embeddings.position_embeddings.weight wpe.weight embeddings.token_type_embeddings.weight embeddings.LayerNorm.weight
        pos_emb embeddings/position_embeddings/embedding encoder.embed_positions.weight time_embed.0.weight
        word_embeddings_layernorm.weight layer.0.SelfAttention.relative_attention_bias.weight""",
    Role.COPY: "ema_model.embed.weight ema.shadow_params.0 swa.layers.0.weight moving.fc.weight",
    Role.STATE: """
        optimizer.0 model.embed_tokens.lora_embedding_A layers.0.q_proj.lora_A.weight
        optimizer_states.0.state.0.exp_avg opt_state.wte state.param_states.embedding.v_row wte.weight.grad gradients.wte
        word_embeddings.momentum model.embed_tokens.scales embed_tokens.weight.absmax model.embed_tokens.weight_scale_inv
        model.embed_tokens.SCB embed.qzeros bert/embeddings/word_embeddings/adam_m opt_state.0.mu.embed token_embd.weight.in_sum2
        embed_tokens.weight_zero_point""",
}


@pytest.mark.parametrize("role", Role)
def test_a_name_tells_its_role(role):
    assert {name: role_of(name) for name in NAMES[role].split()} == dict.fromkeys(NAMES[role].split(), role)
