using Quilt.Formats.Chat;
using Quilt.Formats.Chat.Replies;
using Quilt.Runtime.Sampling;

namespace Quilt.Runtime;

/// <summary>
/// Everything that one request can ask for. <see cref="Engine.Generate(string, SamplingOptions?, CancellationToken)"/> and
/// <see cref="Engine.Chat"/> are short ways for what most ask.
/// </summary>
public sealed record GenerationRequest
{
    /// <summary>Most choices of one request.</summary>
    public const int MostChoices = 128;

    private const int MostKeyLength = 128;
    private const string Forbidden = "@/\\\0";

    /// <summary>A text to continue as it stands. This, <see cref="Tokens"/> or <see cref="Conversation"/>: exactly one.</summary>
    public string? Text { get; init; }

    /// <summary>Token ids to continue.</summary>
    public IReadOnlyList<int>? Tokens { get; init; }

    /// <summary>A conversation to answer, laid out by the checkpoint's chat template.</summary>
    public Conversation? Conversation { get; init; }

    /// <summary>A chat template for <see cref="Conversation"/> in the place of the model's; null: the model's.</summary>
    public ChatTemplate? Template { get; init; }

    /// <summary>
    /// Whether the tokenizer's own special tokens are put around the prompt. Null: around <see cref="Text"/>; a template writes its own.
    /// </summary>
    public bool? AddSpecialTokens { get; init; }

    /// <summary>How tokens are chosen and when to stop; null: <see cref="Engine.DefaultSampling"/>.</summary>
    public SamplingOptions? Sampling { get; init; }

    /// <summary>How the reply of a conversation is read, where engines disagree; null: the defaults.</summary>
    public ReplyOptions? Reply { get; init; }

    /// <summary>What form the reply must have behind its thinking; null: any.</summary>
    public StructuredOutput? Output { get; init; }

    /// <summary>
    /// Which tools of <see cref="Conversation"/> the reply calls. Null: whichever the model likes, those that say <c>"strict": true</c> with
    /// arguments that their schema allows.
    /// </summary>
    public ToolChoice? ToolChoice { get; init; }

    /// <summary>Whether a reply that is held to calls may have several.</summary>
    public bool ParallelToolCalls { get; init; } = true;

    /// <summary>Replies to the one prompt, 1 to <see cref="MostChoices"/> (n). Choice i draws by the seed plus i.</summary>
    public int Choices { get; init; } = 1;

    /// <summary>Whether the prompt's own text comes first in the reply's.</summary>
    public bool Echo { get; init; }

    /// <summary>
    /// Asks for the log probability of every token of the prompt, and for so many of the most likely ones at its place; 0: its own alone; null: not
    /// asked for. Such a prompt is computed whole: nothing of it is taken from the cache. <see cref="Generation.PromptScores"/> has them.
    /// </summary>
    public int? PromptLogProbabilities { get; init; }

    /// <summary>
    /// Most tokens of the prompt; what is longer is cut (truncate_prompt_tokens). −1: as many as fit. Null: a longer one is refused.
    /// </summary>
    public int? TruncatePrompt { get; init; }

    /// <summary>Which end of a longer prompt is cut off.</summary>
    public PromptEnd TruncateAt { get; init; }

    /// <summary>How urgent it is where <see cref="EngineOptions.Scheduling"/> says that counts: the lowest first. −1,000 to 1,000.</summary>
    public int Priority { get; init; }

    /// <summary>
    /// Requests share what is cached only with such as have the same salt (cache_salt): at most 128 characters, none of <c>@ / \</c> and NUL.
    /// </summary>
    public string? CacheSalt { get; init; }

    /// <summary>The same for whom a host keeps apart of its own accord; a salt then counts within the tenant.</summary>
    public string? Tenant { get; init; }

    /// <summary>
    /// How long it may take from its submission; it then ends with what it has (<see cref="FinishReason.Timeout"/>). Null: no bound.
    /// </summary>
    public TimeSpan? Deadline { get; init; }

    /// <summary>Where its prompt's keys and values come from or go to; null: nowhere.</summary>
    internal KvHandover? Handover { get; init; }

    /// <summary>The prompt where another process has laid it out already; it is not laid out again.</summary>
    internal LaidOutPrompt? LaidOut { get; init; }

    /// <summary>The beginning of the one reply, where another engine has made it; it goes on behind that. Null: it begins here.</summary>
    internal BegunReply? Begun { get; init; }

    /// <summary>Whether each token's event says where the random numbers stand behind it (<see cref="GenerationEvent.Random"/>).</summary>
    internal bool TellsRandom { get; init; }

    /// <summary>What sets its blocks in the cache apart from others': a list that differs for every tenant and salt.</summary>
    internal string[] CacheKeys => Tenant is not null ? ["tenant", Tenant, CacheSalt ?? ""] : CacheSalt is not null ? [CacheSalt] : [];

    /// <summary>Checks ranges.</summary>
    /// <exception cref="ArgumentException">A value is out of its range; the message names it.</exception>
    internal void Validate(int mostTop)
    {
        var prompts = (Text is null ? 0 : 1) + (Tokens is null ? 0 : 1) + (Conversation is null ? 0 : 1);
        if (prompts != 1) throw new ArgumentException($"Text, Tokens, Conversation: expected exactly one of them, found {prompts}.");
        if (ToolChoice is not null && Output is not null)
            throw new ArgumentException("Output, ToolChoice: expected at most one of them, found both.");
        if (ToolChoice is not null && Conversation?.Tools is null)
            throw new ArgumentException("ToolChoice: expected a conversation with tools, found none.");
        Check(nameof(Choices), Choices, 1, MostChoices);
        Check(nameof(Priority), Priority, -1000, 1000);
        Check(nameof(PromptLogProbabilities), PromptLogProbabilities ?? 0, 0, mostTop);
        if (TruncatePrompt is 0 or < -1) throw new ArgumentException($"TruncatePrompt: expected −1 or at least 1, found {TruncatePrompt}.");
        if (Deadline <= TimeSpan.Zero) throw new ArgumentException($"Deadline: expected more than zero, found {Deadline}.");
        CheckKey(nameof(CacheSalt), CacheSalt);
        CheckKey(nameof(Tenant), Tenant);
    }

    private static void CheckKey(string name, string? key)
    {
        if (key is null) return;
        if (key.Length is 0 or > MostKeyLength)
            throw new ArgumentException($"{name}: expected 1 to {MostKeyLength} characters, found {key.Length}.");
        if (key.AsSpan().IndexOfAny(Forbidden) is >= 0 and var at)
            throw new ArgumentException($"{name}: expected none of @ / \\ and NUL, found U+{(int)key[at]:X4} at {at}.");
    }

    private static void Check(string name, int value, int least, int most)
    {
        if (value < least || value > most) throw new ArgumentException($"{name}: expected {least} to {most}, found {value}.");
    }
}

/// <summary>An end of a prompt.</summary>
public enum PromptEnd
{
    /// <summary>Its first tokens: the last ones stay.</summary>
    Start,

    /// <summary>Its last tokens: the first ones stay.</summary>
    End,
}
