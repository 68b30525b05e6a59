using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tensors;
using Quilt.Quantizer.Plan;
using Quilt.Quantizer.Recipes;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Quantizer.Plan;

/// <summary>What becomes of each module, and what a source cannot become.</summary>
public sealed class QuantizePlanTests
{
    private const string Experts = @"'re:.*experts\.\d+\.(w1|w2|w3)$'";
    private readonly SourceFolder folder = new();
    private string dense = "";
    private string official = "";

    [OneTimeSetUp]
    public void Create() => (dense, official) = (folder.Dense(), folder.Official());

    [OneTimeTearDown]
    public void Delete() => folder.Dispose();

    [Test]
    public void Targets_are_matched_under_every_name_of_a_module([Values(
        @"'re:.*mlp\.experts\.\d+\.(gate_proj|up_proj|down_proj)$'", @"'re:.*block_sparse_moe\.experts\.\d+\.(w1|w2|w3)$'")] string target)
    {
        Plan(dense, SourceFolder.Int4(target), plan =>
        {
            Assert.That(plan.Modules.Where(module => module.Scheme is not null).All(module => module.Name.Contains(".experts.")));
            Assert.That(plan.Modules.Count(module => module.Scheme is not null), Is.EqualTo(TinyMiniMax.Layers * TinyMiniMax.Experts * 3));
        });
    }

    [Test]
    public void The_class_means_all_but_the_embedding_and_what_is_ignored() =>
        Plan(dense, SourceFolder.Int4("Linear", @"lm_head, 're:.*mlp\.gate$'"), plan =>
        Assert.That(plan.Modules.Where(module => module.Scheme is null).Select(module => module.Name), Is.EqualTo(new[]
        {
            "model.embed_tokens", "model.layers.0.block_sparse_moe.gate", "model.layers.1.block_sparse_moe.gate", "lm_head",
        })));

    [Test]
    public void Parts_are_embedding_layers_head_and_hold_every_tensor() => Plan(official, SourceFolder.Int4(Experts), plan =>
    {
        Assert.That(plan.Parts.Select(part => part.Name), Is.EqualTo(new[] { "embedding", "layer-0", "layer-1", "head" }));
        Assert.That(plan.Parts.SelectMany(part => part.Others).Concat(plan.Modules.SelectMany(module => module.Extras)).Select(tensor => tensor.Name),
            Is.EquivalentTo(plan.Source.Tensors.Where(tensor => tensor.Shape.Length == 1).Select(tensor => tensor.Name)));
    });

    [Test]
    public void A_module_that_is_stored_as_its_group_says_is_copied()
    {
        Plan(official, SourceFolder.Recipe(@"scheme: FP8_BLOCK, targets: ['re:.*self_attn.*']"), plan =>
            Assert.That(plan.Modules.All(module => module.Scheme is null)));
        // Blocks of another size are others.
        Plan(official, SourceFolder.Recipe("config_groups: {g: {targets: ['re:.*self_attn.*'], weights: {type: float, block_structure: [64, 64]}}}"),
            plan => Assert.That(plan.Modules.Count(module => module.Scheme is not null), Is.EqualTo(TinyMiniMax.Layers * 4)));
    }

    [Test]
    public void A_module_that_smoothing_changes_is_not_copied()
    {
        var recipe = RecipeReader.Parse("""
            m_modifiers: {AWQModifier: {scheme: FP8_BLOCK, targets: ['re:.*(experts|self_attn).*'],
              mappings: [{smooth_layer: 're:.*input_layernorm$', balance_layers: ['re:.*q_proj$', 're:.*k_proj$', 're:.*v_proj$']}]}}
            """, "recipe.yaml");
        Plan(official, recipe, plan => Assert.That(
            plan.Modules.Where(module => module.Scheme is not null).Select(module => module.Name[^6..]).Distinct(),
            Is.EqualTo(new[] { "q_proj", "k_proj", "v_proj" })));
    }

    [Test]
    public void A_target_without_modules_is_refused_by_name() =>
        Refuses(dense, SourceFolder.Int4(@"'re:.*experts.*', 're:.*shared_experts.*'"), "recipe.yaml: g", "re:.*shared_experts.*");

    [Test]
    public void A_group_size_that_does_not_divide_a_module_is_refused_by_its_name() =>
        Refuses(dense, SourceFolder.Recipe("config_groups: {g: {targets: [Linear], weights: {num_bits: 4, group_size: 48}}}"),
            "recipe.yaml: g: model.layers.0.self_attn.q_proj", "64 columns, found 48");

    [Test]
    public void A_target_that_is_no_expression_is_refused() => Refuses(dense, SourceFolder.Int4("'re:(('"), "recipe.yaml: targets", "re:((");

    [Test]
    public void A_source_without_a_module_is_refused()
    {
        using var broken = new SourceFolder();
        var path = broken.Dense();
        using (var file = SafeTensorsFile.Open(Path.Combine(dense, "model.safetensors")))
        {
            SafeTensorsWriter.Write(Path.Combine(path, "model.safetensors"), [.. file.Tensors.Values.Where(tensor => !tensor.Name.Contains("1.w2"))
                .Select(tensor => new TensorToWrite(tensor.Name, tensor.Type, tensor.Shape, new byte[tensor.Length]))]);
        }
        Refuses(path, SourceFolder.Int4(Experts), "experts.1.w2.weight");
    }

    [Test]
    public void What_cannot_be_kept_as_it_is_stored_is_refused_by_name()
    {
        using var tiny = new TinyFolder();
        using var other = new SourceFolder();
        var (name, columns) = ("model.layers.0.block_sparse_moe.experts.0.w1", TinyMiniMax.Hidden);
        // The same weights with an order of columns of their own.
        using (var source = Checkpoint.Open(tiny.Path))
        {
            var tensors = source.Tensors.Select(tensor =>
            {
                var bytes = new byte[tensor.Length];
                source.Read(tensor, bytes);
                return new TensorToWrite(tensor.Name, tensor.Type, tensor.Shape, bytes);
            }).ToList();
            tensors.Add(new($"{name}.weight_g_idx", DType.I32, [columns], new byte[columns * 4]));
            SafeTensorsWriter.Write(Path.Combine(other.Path, "model.safetensors"), tensors);
            File.Copy(Path.Combine(tiny.Path, "config.json"), Path.Combine(other.Path, "config.json"));
        }
        Refuses(other.Path, SourceFolder.Int4("'re:.*self_attn.*'"), $"{name}.weight_packed", "in another order");
        Plan(other.Path, SourceFolder.Int4("'re:.*experts.*'"), plan =>
            Assert.That(plan.Modules.Where(module => module.Scheme is not null).Select(module => module.Name), Is.EqualTo(new[] { name })));
    }

    private static void Plan(string source, Recipe recipe, Action<QuantizePlan> look)
    {
        using var checkpoint = Checkpoint.Open(source);
        look(QuantizePlan.Create(checkpoint, recipe));
    }

    private static void Refuses(string source, Recipe recipe, params string[] words)
    {
        using var checkpoint = Checkpoint.Open(source);
        var refused = Assert.Throws<BadInputException>(() => QuantizePlan.Create(checkpoint, recipe));
        foreach (var word in words) Assert.That(refused!.Message, Does.Contain(word));
    }
}
