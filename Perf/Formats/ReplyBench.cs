using System.Collections.ObjectModel;
using System.Text;
using BenchmarkDotNet.Attributes;
using Quilt.Formats.Chat.Replies;
using Quilt.Perf.Columns;

namespace Quilt.Perf.Formats;

/// <summary>
/// A megabyte of replies, prose and calls by turns, in pieces of a token's size: what understanding a reply costs in every dialect. The column GB/s
/// counts characters of text.
/// </summary>
[MemoryDiagnoser]
public class ReplyBench : IMovesBytes
{
    private const int Length = 1_000_000;
    private const int Piece = 4;
    private const string Prose =
        "The harbour is calm < today > and the ferry [to the island] leaves at nine; take the early one, since the wind will turn in the " +
        "afternoon and the crossing is rough then. ";
    private const string Value = "a note of some length, with a \\\"quote\\\" and a line break\\nin it";
    private readonly Ignored events = new();
    private string text = "";

    public static IEnumerable<string> Dialects() => ReplyParser.Dialects;

    [ParamsSource(nameof(Dialects))]
    public string Dialect { get; set; } = "hermes";

    public long BytesMoved => Length;

    [GlobalSetup]
    public void Write()
    {
        var turn = Prose + Prose + Call(Dialect);
        text = new StringBuilder().Insert(0, turn, (Length / turn.Length) + 1).ToString(0, Length);
    }

    [Benchmark]
    public void Parse()
    {
        var parser = ReplyParser.Create(Dialect);
        for (var i = 0; i < text.Length; i += Piece) parser.Push(text.AsSpan(i, Math.Min(Piece, text.Length - i)), events);
        parser.Finish(events);
    }

    private static string Call(string dialect)
    {
        const string json = "{\"note\": \"" + Value + "\", \"hours\": [9, 10.5], \"again\": true}";
        return dialect switch
        {
            "minimax_m2" or "minimax_m2_append_think" =>
                $"<minimax:tool_call>\n<invoke name=\"plan\">\n<parameter name=\"note\">{Value}</parameter>\n<parameter name=\"hours\">[9, " +
                $"10.5]</parameter>\n</invoke>\n</minimax:tool_call>",
            "qwen3_coder" =>
                $"<tool_call>\n<function=plan>\n<parameter=note>\n{Value}\n</parameter>\n<parameter=hours>\n[9, " +
                $"10.5]\n</parameter>\n</function>\n</tool_call>",
            "seed_oss" =>
                $"<seed:tool_call>\n<function=plan>\n<parameter=note>{Value}</parameter>\n<parameter=hours>[9, " +
                $"10.5]</parameter>\n</function>\n</seed:tool_call>",
            "glm45" =>
                $"<tool_call>plan\n<arg_key>note</arg_key>\n<arg_value>{Value}</arg_value>\n<arg_key>hours</arg_key>\n<arg_value>[9, " +
                $"10.5]</arg_value>\n</tool_call>",
            "hermes" => $"<tool_call>\n{{\"name\": \"plan\", \"arguments\": {json}}}\n</tool_call>",
            "llama3_json" => $"<|python_tag|>{{\"name\": \"plan\", \"parameters\": {json}}}",
            "mistral" => $"[TOOL_CALLS]plan[ARGS]{json}",
            "deepseek_v3" =>
                $"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>plan\n```json\n{json}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
            "deepseek_v31" => $"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>plan<｜tool▁sep｜>{json}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
            "kimi_k2" =>
                $"<|tool_calls_section_begin|><|tool_call_begin|>functions.plan:0" +
                $"<|tool_call_argument_begin|>{json}<|tool_call_end|><|tool_calls_section_end|>",
            "apriel" => $"\n<tool_calls>[{{\"name\": \"plan\", \"arguments\": {json}}}]</tool_calls>",
            "granite" => $"<|tool_call|>[{{\"name\": \"plan\", \"arguments\": {json}}}]",
            "cohere" =>
                $"<|START_ACTION|>[\n    {{\"tool_call_id\": \"0\", \"tool_name\": \"plan\", \"parameters\": {json}}}\n]<|END_ACTION|>",
            "lfm2" => $"<|tool_call_start|>[plan(note=\"{Value}\", hours=[9, 10.5], again=True)]<|tool_call_end|>",
            "harmony" =>
                $"<|end|><|start|>assistant<|channel|>commentary to=functions.plan " +
                $"<|constrain|>json<|message|>{json}<|call|><|start|>assistant<|channel|>final<|message|>",
            _ => "",
        };
    }

    // Takes events and keeps none.
    private sealed class Ignored : Collection<ReplyEvent>
    {
        protected override void InsertItem(int index, ReplyEvent item)
        {
        }
    }
}
