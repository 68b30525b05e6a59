using System.CommandLine;
using Quilt.Hosting;
using Quilt.Runtime.Sampling;

namespace Quilt.Cli.Serve;

/// <summary>How the server answers: vLLM's flags of the API, and ours for who may ask.</summary>
internal sealed class ServerFlags
{
    private static readonly string[] Variables = ["QUILT_API_KEY", "VLLM_API_KEY"];
    private readonly Option<string[]> apiKeys = List("--api-key", "A key that requests have to bring; several may be given. Also QUILT_API_KEY.",
        "KEY");
    private readonly Option<string[]> hosts = List("--allowed-hosts",
        "Host names that requests may be addressed to, beside localhost and IP addresses.", "NAME");
    private readonly Option<string[]> origins = List("--allowed-origins", "Origins of web pages that may ask; none by default.", "ORIGIN");
    private readonly Option<string?> template = Text("--chat-template", "A chat template in the place of the model's: a file, or the template.",
        "FILE");
    private readonly Option<string?> contentFormat = Text("--chat-template-content-format", "auto, string or openai.", "FORMAT");
    private readonly Option<bool> trustTemplate = Flag("--trust-request-chat-template", "Requests may bring their own template.");
    private readonly Option<string?> templateVariables = Text("--default-chat-template-kwargs", "Variables of every conversation's template.",
        "JSON");
    private readonly Option<string?> role = Text("--response-role", "The role of replies; assistant.", "ROLE");
    private readonly Option<bool> excludeTools = Flag("--exclude-tools-when-tool-choice-none",
        "Leave tools out of the prompt where none may be called.");
    private readonly Option<bool> promptDetails = Flag("--enable-prompt-tokens-details", "Tell in usage what of the prompt was cached.");
    private readonly Option<bool> forceUsage = Flag("--enable-force-include-usage", "End every stream with its usage.");
    private readonly Option<bool> metrics = Flag("--enable-per-request-metrics", "Tell each request's times.");
    private readonly Option<bool> tokenIds = Flag("--return-tokens-as-token-ids", "Write tokens as token_id:123 in log probabilities.");
    private readonly Option<bool> requestIds = Flag("--enable-request-id-headers", "Answer with X-Request-Id.");
    private readonly Option<int?> maxLogprobs = TypedOption.Whole("--max-logprobs", "Most log probabilities of a token; -1: all; default 20.");
    private readonly Option<string?> logprobsMode = Text("--logprobs-mode", "raw_logprobs, raw_logits, processed_logprobs or processed_logits.",
        "MODE");
    private readonly Option<int?> interval = TypedOption.Whole("--stream-interval", "Tokens of a piece of a stream; 1.");
    private readonly Option<string?> fingerprint = Text("--fingerprint-mode", "full or none: whether answers tell the server's version.", "MODE");
    private readonly Option<ReasoningField?> reasoning = TypedOption.OneOf<ReasoningField>("--reasoning-field",
        "Fields that carry thinking: both, reasoning (vLLM) or reasoningcontent (others).");
    private readonly Option<double?> maxBody = TypedOption.Real("--max-body-mib", "Most MiB of a request; 32.");

    /// <summary>A template in the place of the model's.</summary>
    public string? TemplateOf(ParseResult parsed) => parsed.GetValue(template);

    /// <summary>Adds all of them.</summary>
    public ServerFlags AddTo(Command command)
    {
        Option[] all = [apiKeys, hosts, origins, template, contentFormat, trustTemplate, templateVariables, role, excludeTools, promptDetails,
            forceUsage, metrics, tokenIds, requestIds, maxLogprobs, logprobsMode, interval, fingerprint, reasoning, maxBody];
        foreach (var option in all) command.Options.Add(option);
        return this;
    }

    /// <summary>Keys, from options and the environment.</summary>
    public IReadOnlyList<string> Keys(ParseResult parsed)
    {
        var given = JsonOption.Texts("--api-key", parsed.GetValue(apiKeys) ?? []);
        var environment = Variables.Select(Environment.GetEnvironmentVariable).OfType<string>()
            .SelectMany(keys => keys.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
        string[] keys = [.. given.Concat(environment).Distinct(StringComparer.Ordinal)];
        return keys.Any(key => key.Length == 0) ? throw new UsageException("--api-key: expected a key, found an empty text") : keys;
    }

    /// <summary>Lays them on the server's options.</summary>
    /// <exception cref="UsageException">A value is none of those that there are.</exception>
    public void Read(ParseResult parsed, QuiltServerOptions server)
    {
        foreach (var key in Keys(parsed)) server.ApiKeys.Add(key);
        foreach (var host in JsonOption.Texts("--allowed-hosts", parsed.GetValue(hosts) ?? [])) server.AllowedHosts.Add(host);
        foreach (var origin in JsonOption.Texts("--allowed-origins", parsed.GetValue(origins) ?? [])) server.AllowedOrigins.Add(origin);
        server.ContentParts = Choice<bool?>(parsed, contentFormat, ("auto", null), ("string", false), ("openai", true));
        server.TrustRequestChatTemplate = parsed.GetValue(trustTemplate);
        foreach (var (name, value) in JsonOption.Object("--default-chat-template-kwargs", parsed.GetValue(templateVariables)))
            server.TemplateVariables[name] = value;
        server.ResponseRole = parsed.GetValue(role) ?? server.ResponseRole;
        server.ExcludeToolsWhenNone = parsed.GetValue(excludeTools);
        server.PromptTokensDetails = parsed.GetValue(promptDetails);
        server.ForceIncludeUsage = parsed.GetValue(forceUsage);
        server.RequestMetrics = parsed.GetValue(metrics);
        server.TokensAsTokenIds = parsed.GetValue(tokenIds);
        server.RequestIdHeaders = parsed.GetValue(requestIds);
        server.MaxLogProbabilities = parsed.GetValue(maxLogprobs) ?? server.MaxLogProbabilities;
        server.LogProbabilityKind = Choice(parsed, logprobsMode, ("raw_logprobs", LogProbabilityKind.Raw),
            ("raw_logits", LogProbabilityKind.RawLogits),
            ("processed_logprobs", LogProbabilityKind.Processed), ("processed_logits", LogProbabilityKind.ProcessedLogits));
        server.StreamInterval = parsed.GetValue(interval) ?? server.StreamInterval;
        server.Fingerprint = Choice(parsed, fingerprint, ("full", true), ("none", false));
        server.ReasoningField = parsed.GetValue(reasoning) ?? server.ReasoningField;
        if (parsed.GetValue(maxBody) is { } mebibytes)
        {
            server.MaxBodyBytes = mebibytes is > 0 and <= 1024 ? (long)(mebibytes * (1 << 20))
                : throw new UsageException(FormattableString.Invariant($"--max-body-mib: expected more than 0 and at most 1024, found {mebibytes}"));
        }
    }

    private static T Choice<T>(ParseResult parsed, Option<string?> option, params (string Name, T Value)[] choices)
    {
        if (parsed.GetValue(option) is not { } name) return choices[0].Value;
        var at = Array.FindIndex(choices, choice => choice.Name == name);
        return at >= 0 ? choices[at].Value
            : throw new UsageException($"{option.Name}: expected {string.Join(", ", choices.Select(choice => choice.Name))}, found '{name}'");
    }

    private static Option<string?> Text(string name, string description, string help) => new(name) { Description = description, HelpName = help };

    private static Option<bool> Flag(string name, string description) => new(name) { Description = description };

    private static Option<string[]> List(string name, string description, string help) =>
        new(name) { Description = description, HelpName = help, AllowMultipleArgumentsPerToken = true };
}
