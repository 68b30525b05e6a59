using System.CommandLine;

namespace Quilt.Cli.Serve;

/// <summary>
/// vLLM's flags that mean nothing here, which are taken and said once, and those for what is not built, which are refused by name: somebody's command
/// line should work with the program's name changed, or say what will not.
/// </summary>
internal sealed class ForeignFlags
{
    private static readonly (string Name, string Why)[] Switches =
    [
        ("--trust-remote-code", "nothing of a model folder is ever run"),
        ("--enable-auto-tool-choice", "calls are always looked for where the model's dialect has them"),
        ("--enable-chunked-prefill", "prompts are always read in parts"),
        ("--enforce-eager", "there is no other mode"),
        ("--disable-log-requests", "requests are never logged"),
        ("--disable-log-stats", "figures are on /metrics"),
        ("--disable-fastapi-docs", "there are none"),
        ("--disable-uvicorn-access-log", "there is none"),
        ("--enable-sleep-mode", "an idle server sleeps by itself"),
        ("--async-scheduling", "there is one loop"),
        ("--enable-server-load-tracking", "/load is always there"),
    ];

    private static readonly (string Name, string Why)[] Values =
    [
        ("--dtype", "weights are used as they are stored"),
        ("--quantization", "the checkpoint says how it is stored"),
        ("--load-format", "safetensors is what is read"),
        ("--tokenizer-mode", "there is one tokenizer"),
        ("--swap-space", "what gives way is computed again"),
        ("--max-parallel-loading-workers", "loading uses all cores"),
        ("--distributed-executor-backend", "there is one device"),
        ("--uvicorn-log-level", "see --log-level"),
        ("--h11-max-incomplete-event-size", "headers have 32 KB at most"),
        ("--h11-max-header-count", "requests have 100 headers at most"),
        ("--compilation-config", "kernels are compiled as they are needed"),
        ("--api-server-count", "one process serves"),
        ("--download-dir", "models are folders"),
        ("--kv-offloading-backend", "there is one"),
        ("--revision", "models are folders"),
        ("--allowed-methods", "those that the endpoints have"),
        ("--allowed-headers", "those that the endpoints read"),
        ("--prefix-caching-hash-algo", "blocks are known by vLLM's sha256_cbor"),
        ("--seed", "requests bring their own"),
    ];

    private static readonly (string[] Names, string Why)[] One =
    [
        (["--tensor-parallel-size", "--tp"], "several devices are not built"),
        (["--pipeline-parallel-size", "--pp"], "several devices are not built"),
        (["--data-parallel-size", "--dp"], "several devices are not built"),
    ];

    private static readonly (string Name, string Why)[] Unbuilt =
    [
        ("--kv-transfer-config", "transfer of caches is not built"),
        ("--kv-events-config", "events of the cache are not built"),
        ("--speculative-config", "speculative decoding is not built"),
        ("--lora-modules", "LoRA is not built"),
    ];

    private static readonly (string Name, string Why)[] UnbuiltSwitches =
    [
        ("--enable-expert-parallel", "several devices are not built"),
        ("--enable-lora", "LoRA is not built"),
    ];

    private readonly List<(Option Option, string Why)> idle = [];
    private readonly List<(Option<int?> Option, string Why)> one = [];
    private readonly List<(Option Option, string Why)> unbuilt = [];

    /// <summary>Adds all of them, hidden from the help's list.</summary>
    public ForeignFlags AddTo(Command command)
    {
        foreach (var (name, why) in Switches) idle.Add((new Option<bool>(name) { Hidden = true }, why));
        foreach (var (name, why) in Values) idle.Add((new Option<string?>(name) { Hidden = true }, why));
        foreach (var (name, why) in UnbuiltSwitches) unbuilt.Add((new Option<bool>(name) { Hidden = true }, why));
        foreach (var (name, why) in Unbuilt) unbuilt.Add((new Option<string?>(name) { Hidden = true }, why));
        foreach (var (names, why) in One)
        {
            var option = TypedOption.Whole(names[0], "");
            foreach (var alias in names.Skip(1)) option.Aliases.Add(alias);
            option.Hidden = true;
            one.Add((option, why));
        }
        foreach (var option in idle.Select(flag => flag.Option).Concat(unbuilt.Select(flag => flag.Option)).Concat(one.Select(flag => flag.Option)))
            command.Options.Add(option);
        return this;
    }

    /// <summary>What was given of them and means nothing, and why.</summary>
    /// <exception cref="UsageException">Something was asked for that is not built.</exception>
    public IEnumerable<string> Read(ParseResult parsed)
    {
        foreach (var (option, why) in unbuilt)
        {
            if (parsed.GetResult(option) is { Implicit: false }) throw new UsageException($"{option.Name}: {why}");
        }
        foreach (var (option, why) in one)
        {
            if (parsed.GetValue(option) is not (null or 1))
                throw new UsageException($"{option.Name}: expected 1, {why}, found {parsed.GetValue(option)}");
        }
        return idle.Where(flag => parsed.GetResult(flag.Option) is { Implicit: false })
            .Select(flag => $"{flag.Option.Name} changes nothing: {flag.Why}");
    }
}
