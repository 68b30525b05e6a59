using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Checkpoints.Storage;
using Quilt.Formats.Tensors;
using Quilt.Quantizer.Plan;
using Quilt.Quantizer.Recipes;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Awq;

/// <summary>What a run will do, and what it will take, before it begins.</summary>
internal sealed class CalibrationPlan
{
    private CalibrationPlan(QuantizePlan modules, CalibrationSettings settings)
    {
        (Modules, Settings) = (modules, settings);
        Mappings = Awq.Mappings.Of(modules.Recipe, modules.Spec);
        // The releases take the longest sample first, one by one; of equal ones the order is nobody's promise.
        Samples = settings.Match is null ? settings.Samples : [.. settings.Samples.OrderByDescending(sample => sample.Length)];
        Memory = CalibrationMemory.Of(this);
        Batches = new CalibrationBatches(Samples, Memory.BatchTokens);
    }

    /// <summary>What becomes of each module.</summary>
    public QuantizePlan Modules { get; }

    /// <summary>The source.</summary>
    public Checkpoint Source => Modules.Source;

    /// <summary>How.</summary>
    public CalibrationSettings Settings { get; }

    /// <summary>In a match, in what type the model computes.</summary>
    public Precision Precision => Settings.Precision
        ?? (Modules.Modules.First(module => module.Scheme is not null).Stored.Form.Codes == CodeType.Float32
            ? Precision.Float32
            : Precision.BFloat16);

    /// <summary>What is smoothed, an entry a layer.</summary>
    public LayerMappings?[] Mappings { get; }

    /// <summary>Token ids, in the order in which they are taken.</summary>
    public IReadOnlyList<int[]> Samples { get; }

    /// <summary>What it takes of memory.</summary>
    public CalibrationMemory Memory { get; }

    /// <summary>Samples that go through a layer together.</summary>
    public CalibrationBatches Batches { get; }

    /// <summary>Bytes of the streams before and behind a layer.</summary>
    public long DiskBytes => 2 * Samples.Sum(sample => (long)sample.Length) * Modules.Spec.Hidden * sizeof(float);

    /// <summary>A short text for all that the result depends on beside source and recipe.</summary>
    public string Digest
    {
        get
        {
            using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            digest.AppendData(Encoding.UTF8.GetBytes(FormattableString.Invariant(
                $"{Settings.Match?.Name} {Settings.Routed} {Precision} {Batches.All[0].Prompts.Count} ")));
            if (Settings.MoeInput is { } path) digest.AppendData(SHA256.HashData(File.ReadAllBytes(path)));
            foreach (var sample in Samples)
            {
                digest.AppendData(BitConverter.GetBytes(sample.Length));
                digest.AppendData(MemoryMarshal.AsBytes(sample.AsSpan()));
            }
            return Convert.ToHexStringLower(digest.GetHashAndReset());
        }
    }

    /// <summary>Looks at everything that can be looked at before the work begins.</summary>
    /// <exception cref="BadInputException">The recipe, the samples or the settings do not fit the source.</exception>
    public static CalibrationPlan Create(Checkpoint source, Recipe recipe, CalibrationSettings settings)
    {
        if (recipe.Smoothing is null) throw new ArgumentException("A recipe without smoothing needs no data.", nameof(recipe));
        CheckSamples(settings.Samples, Architectures.Describe(source.Config));
        var plan = new CalibrationPlan(QuantizePlan.Create(source, recipe), settings);
        plan.CheckExperts();
        return settings.Match is null ? new CalibrationPlan(plan.WithWideRouters(), settings) : plan;
    }

    private static void CheckSamples(IReadOnlyList<int[]> samples, DecoderSpec spec)
    {
        if (samples.Count == 0) throw new BadInputException("samples", null, "expected at least one, found none");
        for (var i = 0; i < samples.Count; i++)
        {
            var name = FormattableString.Invariant($"samples[{i}]");
            if (samples[i].Length == 0 || samples[i].Length > spec.Attention.MaxPositions)
                throw new BadInputException("samples", name, $"expected 1 to {spec.Attention.MaxPositions} tokens, found {samples[i].Length}");
            if (Array.FindIndex(samples[i], id => (uint)id >= (uint)spec.VocabularySize) is var bad and >= 0)
                throw new BadInputException("samples", name,
                    $"expected token ids from 0 to {spec.VocabularySize - 1}, found {samples[i][bad]} at {bad}");
        }
    }

    // What can be smoothed: experts stored alike, as integers in groups or rows, that activate by silu and add nothing.
    private void CheckExperts()
    {
        for (var layer = 0; layer < Mappings.Length; layer++)
        {
            if (Mappings[layer] is null) continue;
            var experts = new DecoderModules(Modules.Spec).Layer(layer).Experts!;
            var path = $"model.layers.{layer}";
            if (experts.Spec.ExpertBias || experts.Spec.RouterBias || experts.Spec.SwigluLimit is not null)
                throw new BadInputException(Source.Folder, path,
                    "expected experts without biases whose activation is silu, which are what is smoothed here");
            var planned = Modules.ModulesOf(layer);
            var schemes = experts.All.Select(shape => planned[shape.Name].Scheme).Distinct().ToList();
            if (schemes is not [{ IsFloat: false, Strategy: ScaleStrategy.Group or ScaleStrategy.Channel }])
            {
                throw new BadInputException(Modules.Recipe.Origin, path,
                    "expected one config group for all matrices of the experts, of integers in groups or channels, which is what AWQ is for here");
            }
        }
    }

    // A router that makes up for the norm keeps all its bits: bfloat16 would change which experts are chosen.
    private QuantizePlan WithWideRouters()
    {
        var routers = Enumerable.Range(0, Mappings.Length).Where(layer => Mappings[layer] is { Norm: true })
            .Select(layer => new DecoderModules(Modules.Spec).Layer(layer).Experts!.Router.Name).ToHashSet(StringComparer.Ordinal);
        return new QuantizePlan
        {
            Source = Source,
            Recipe = Modules.Recipe,
            Spec = Modules.Spec,
            Parts = [.. Modules.Parts.Select(part => part with
            {
                Modules = [.. part.Modules.Select(module =>
                    routers.Contains(module.Shape.Name) && module.Scheme is null ? module with { PlainType = DType.F32 } : module)],
            })],
        };
    }
}
