using Quilt.Formats;
using Quilt.Quantizer.Verifying.Forward;
using Quilt.Runtime;

namespace Quilt.Quantizer.Verifying;

/// <summary>Both models run beside each other, once for all checks that want to know.</summary>
internal sealed class ForwardRun(CheckSubject subject)
{
    private static readonly string[] Texts =
    [
        "The capital of France is Paris. The capital of Japan is Tokyo. The capital of Italy is",
        "def add(a, b):\n    \"\"\"Return the sum of two numbers.\"\"\"\n    return a +",
        "Ein Zug fährt um 8 Uhr ab und braucht drei Stunden. Wann kommt er an? Er kommt um",
    ];

    private const int RandomPrompts = 3;
    private const int RandomTokens = 32;
    private const int MostTokens = 128;

    private ModelComparison? comparison;

    /// <summary>Why there is no comparison; null where there is one, or none was asked for yet.</summary>
    public string? Refusal { get; private set; } = subject.Options.Forward ? null : "was not asked for";

    /// <summary>The comparison; null where a model does not load, of which other checks tell.</summary>
    public ModelComparison? Find() => Refusal is null ? comparison ??= Run() : null;

    private ModelComparison? Run()
    {
        var prompts = subject.Options.Prompts ?? Prompts();
        try
        {
            using var device = new EngineOptions { Threads = subject.Options.Threads }.OpenDevice();
            return ModelComparison.Run(subject.Official!, [subject.Model], prompts, device, subject.Cancel)[0];
        }
        catch (BadInputException refused)
        {
            Refusal = $"one of the models does not run: {refused.Message}";
            return null;
        }
    }

    private IReadOnlyList<int[]> Prompts()
    {
        var most = Math.Min(MostTokens, subject.Spec.Attention.MaxPositions);
        if (subject.Model.Tokenizer is { } tokenizer)
        {
            var prompts = Texts.Select(text => tokenizer.Encode(text).Take(most).ToArray())
                .Where(ids => ids.Length > 0 && ids.All(id => id < subject.Spec.VocabularySize)).ToList();
            if (prompts.Count > 0) return prompts;
        }
        var random = new Random(1);
        return [.. Enumerable.Range(0, RandomPrompts).Select(_ =>
            Enumerable.Range(0, Math.Min(RandomTokens, most)).Select(_ => random.Next(subject.Spec.VocabularySize)).ToArray())];
    }
}
