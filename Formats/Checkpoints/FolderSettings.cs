using Quilt.Formats.Chat;
using Quilt.Formats.Tokenizers;
using Quilt.Formats.Tokenizers.AddedTokens;

namespace Quilt.Formats.Checkpoints;

/// <summary>All that a model folder holds beside tensors, parsed.</summary>
internal sealed record FolderSettings
{
    /// <summary>What Mixtral's config class takes for eos_token_id where nothing is said, and saves as if it had been.</summary>
    private const int MixtralEnd = 2;

    private FolderSettings()
    {
    }

    /// <summary>config.json.</summary>
    public required ModelConfig Config { get; init; }

    /// <summary>generation_config.json.</summary>
    public required GenerationDefaults Generation { get; init; }

    /// <summary>tokenizer.json with what the files beside it add; null where there is none.</summary>
    public required Tokenizer? Tokenizer { get; init; }

    /// <summary>The chat template; null where there is none.</summary>
    public required ChatTemplate? Template { get; init; }

    /// <summary>Ids that end a reply.</summary>
    public required IReadOnlyList<int> EndTokens { get; init; }

    /// <summary>Reads a folder's files.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="warnings">Hears what looks wrong.</param>
    /// <param name="tolerant">Whether a file other than config.json that cannot be read is a warning.</param>
    /// <exception cref="BadInputException">A file cannot be read; the message names it, and the key.</exception>
    public static FolderSettings Read(string folder, WarningList warnings, bool tolerant)
    {
        var config = ModelConfig.Read(Path.Combine(folder, ModelConfig.FileName));
        var generation = Try(() => GenerationDefaults.Read(folder)) ?? new GenerationDefaults();
        var tokens = Try(() => FolderTokens.Read(folder));
        // Both take a good part of a small model's start and need nothing of each other.
        var template = tokens is not null && ChatTemplate.Exists(folder, tokens) ? Task.Run(() => ChatTemplate.Open(folder, tokens)) : null;
        var tokenizer = tokens is not null && Tokenizer.Exists(folder) ? Try(() => Tokenizer.Open(folder, tokens)) : null;
        foreach (var warning in tokenizer?.Warnings ?? []) warnings.Add(folder, warning);
        return new FolderSettings
        {
            Config = config,
            Generation = generation,
            Tokenizer = tokenizer,
            Template = template is null ? null : Try(() => template.GetAwaiter().GetResult()),
            EndTokens = Ends(config, generation, tokenizer, tokens?.End, warnings),
        };

        T? Try<T>(Func<T> read) where T : class
        {
            try
            {
                return read();
            }
            catch (BadInputException refused) when (tolerant)
            {
                warnings.Add(refused.Origin, refused.Part is null ? refused.Message : $"{refused.Part}: cannot be used: {refused.Message}");
                return null;
            }
        }
    }

    // Both files are about generating; config.json is not, and holds defaults of classes that other models were saved with.
    private static int[] Ends(ModelConfig config, GenerationDefaults generation, Tokenizer? tokenizer, string? text, WarningList warnings)
    {
        var found = new List<int>(generation.EndTokens);
        if (text is not null && tokenizer?.TryGetId(text, out var id) == true && !found.Contains(id)) found.Add(id);
        if (found.Count > 0) return [.. found];
        var ends = config.EndTokens;
        if (config.ModelType == "minimax_m2" && ends is [MixtralEnd])
        {
            warnings.Add(config.Source,
                $"eos_token_id is {MixtralEnd}, which configs of this family get from the class they were saved with; not used");
            return [];
        }
        return [.. ends];
    }
}
