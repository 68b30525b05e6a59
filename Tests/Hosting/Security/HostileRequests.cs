using System.Text;
using static Quilt.Tests.Hosting.Security.HostileRequest;

namespace Quilt.Tests.Hosting.Security;

/// <summary>Part A of the security list as requests: numbers and lists out of their bounds, JSON that is none.</summary>
internal static class HostileRequests
{
    private static readonly string[] Numbers = ["-1", "1.5", "\"3\"", "true", "[1]", "{}", "1e400", "-1e400", "2147483648", "9223372036854775808",
        "18446744073709551616", "1e18"];

    /// <summary>Counts and numbers.</summary>
    public static IEnumerable<HostileRequest> OfNumbers()
    {
        // GHSA-3mwp-wvh9-7528: n copies of a request before anybody counts them; CVE-2024-8939: best_of the same.
        foreach (var n in (string[])[.. Numbers, "0", "129", "1000000000"])
        {
            yield return OfChat("GHSA-3mwp-wvh9-7528", $"\"n\": {n}");
            yield return OfText("GHSA-3mwp-wvh9-7528", $"\"n\": {n}");
        }
        yield return OfChat("GHSA-3mwp-wvh9-7528", "\"n\": 2, \"temperature\": 0");
        yield return OfPrompt("GHSA-3mwp-wvh9-7528", $"[{List("\"a\"", 129)}]");
        yield return OfPrompt("GHSA-3mwp-wvh9-7528", $"[{List("\"a\"", 100_000)}]");
        yield return OfText("CVE-2024-8939", "\"best_of\": 1000000000", 200);
        // protocol.check_logprobs.
        foreach (var count in (string[])["\"3\"", "-2", "1000000", "21", "1.5", "true", "1e400", "-1", "2147483648", "9223372036854775808"])
        {
            yield return OfChat("check_logprobs", $"\"logprobs\": true, \"top_logprobs\": {count}");
            yield return OfText("check_logprobs", $"\"logprobs\": {count}");
            yield return OfText("check_logprobs", $"\"prompt_logprobs\": {count}");
        }
        yield return OfChat("check_logprobs", "\"logprobs\": 3");
        // CVE-2026-21869: every integer has a range; fields that nobody knows have no effect.
        yield return OfChat("CVE-2026-21869", "\"n_discard\": -2147483648, \"n_keep\": -1, \"id_slot\": -7", 200);
        foreach (var field in (string[])["max_tokens", "max_completion_tokens", "min_tokens", "stream_interval", "priority", "thinking_token_budget"])
        {
            foreach (var number in (string[])["-2000", "1.5", "\"3\"", "true", "[1]", "1e400", "2147483648", "9223372036854775808"])
                yield return OfChat("CVE-2026-21869", $"\"{field}\": {number}");
        }
        foreach (var field in (string[])["temperature", "top_p", "min_p", "repetition_penalty", "frequency_penalty", "presence_penalty"])
        {
            foreach (var number in (string[])["-3", "\"hot\"", "true", "[1]", "1e400", "-1e400", "1e308"])
                yield return OfChat("CVE-2026-21869", $"\"{field}\": {number}", field == "temperature" && number == "1e308" ? [200, 400] : [400]);
        }
        // Numbers that a float has not, where they are divided by.
        foreach (var field in (string[])["temperature", "top_p", "min_p", "repetition_penalty", "frequency_penalty", "presence_penalty"])
        {
            foreach (var number in (string[])["1e-320", "1e-45", "1e-38", "1e-7"])
            {
                var fields = $"\"{field}\": {number}, \"logprobs\": true, \"top_logprobs\": 2, \"logit_bias\": {{\"5\": 1}}";
                yield return OfChat("CVE-2026-21869", fields, 200, 400);
            }
        }
        foreach (var seed in (string[])["1.5", "\"x\"", "9223372036854775808", "1e400", "true"]) yield return OfChat("CVE-2026-21869",
            $"\"seed\": {seed}");
        foreach (var cut in (string[])["0", "-5", "1.5", "9223372036854775808"]) yield return OfChat("CVE-2026-21869",
            $"\"truncate_prompt_tokens\": {cut}");
        foreach (var size in (string[])["-1", "0", "1e9", "\"x\""]) yield return OfChat("CVE-2026-21869",
            $$"""repetition_detection": {"max_pattern_size": {{size}}}""".Insert(0, "\""));
        // Slot capture: a server-side bound, whatever is asked for.
        yield return OfChat("slot capture", "\"max_completion_tokens\": 1000000000, \"min_tokens\": 1000000001, \"ignore_eos\": true");
    }

    /// <summary>Lists and texts that cost something per token.</summary>
    public static IEnumerable<HostileRequest> OfLists()
    {
        yield return OfChat("floods",
            $$"""logit_bias": { {{string.Join(", ", Enumerable.Range(0, 1_000_000).Select(i => $"\"{i}\": 1"))}} }""".Insert(0, "\""));
        foreach (var bias in (string[])["{\"x\": 1}", "{\"-1\": 1}", "{\"99999999\": 1}", "{\"9223372036854775808\": 1}", "{\"5\": \"x\"}",
            "{\"5\": 1e400}", "5", "[]"])
            yield return OfChat("floods", $"\"logit_bias\": {bias}");
        yield return OfChat("floods", $"\"stop\": [{List("\"never\"", 100_000)}]");
        foreach (var stop in (string[])["[\"\"]", "\"\"", "[1]", "5", "{}", $"\"{Times("x", 1 << 20)}\""]) yield return OfChat("floods",
            $"\"stop\": {stop}");
        yield return OfChat("floods", $"\"bad_words\": [{List("\"never\"", 100_000)}]");
        yield return OfChat("floods", $"\"bad_words\": [\"{Times("never ", 200_000)}\"]");
        yield return OfChat("floods", "\"bad_words\": [\"\"]");
        foreach (var field in (string[])["stop_token_ids", "allowed_token_ids"])
        {
            foreach (var ids in (string[])["[-1]", "[2048]", "[2147483648]", "[9223372036854775808]", "[1e400]", "[1.5]", "[\"1\"]", "5", "[[1]]"])
                yield return OfChat("token ids", $"\"{field}\": {ids}");
        }
        yield return OfChat("token ids", $"\"stop_token_ids\": [{List("1", 100_000)}]");
        yield return OfChat("token ids", $"\"allowed_token_ids\": [{List("1", 2_000_000)}]");
        yield return OfChat("token ids", "\"allowed_token_ids\": []");
        yield return OfChat("token ids", $"\"logprobs\": true, \"logprob_token_ids\": [{List("1", 129)}]");
        foreach (var ids in (string[])["[-1]", "[2048]", "[2147483648]", "[9223372036854775808]", "[1e400]", "[1.5]", "[1, \"1\"]", "[1, null]",
            "[[[1]]]",
            "[[1], 1]", "[[-1]]", "[[1], [2048]]", "[]", "[[]]", "\"\"", "5", "{}", "null", "[null]", "[{}]"])
        {
            yield return OfPrompt("token ids", ids, ids is "[[1], 1]" or "\"\"" ? [200, 400] : [400]);
        }
        yield return OfPrompt("token ids", $"[{List("1", 1_000_000)}]");
        foreach (var salt in (string[])["\"a/b\"", "\"a@b\"", "\"a\\\\b\"", "\"a\\u0000b\"", "\"\"", "5", $"\"{Times("x", 129)}\"",
            $"\"{Times("x", 1 << 20)}\"",
            "\"../../../etc/passwd\""])
        {
            yield return OfChat("cache_salt", $"\"cache_salt\": {salt}");
        }
        yield return OfMessages("messages", $"[{List("{\"role\": \"user\", \"content\": \"a\"}", 100_000)}]");
        yield return OfMessages("messages", $"[{{\"role\": \"user\", \"content\": [{List("{\"type\": \"text\", \"text\": \"a\"}", 100_000)}]}}]");
        foreach (var messages in (string[])["[]", "5", "{}", "null", "[null]", "[5]", "[[]]", "[\"Hi.\"]", "[{}]", "[{\"role\": 5}]",
            "[{\"role\": null}]",
            "[{\"role\": \"user\", \"content\": 5}]", "[{\"role\": \"user\", \"content\": {}}]", "[{\"role\": \"user\", \"content\": [5]}]",
            "[{\"role\": \"user\", \"content\": [{\"type\": 5}]}]", "[{\"role\": \"user\", \"content\": [{\"type\": \"text\", \"text\": 5}]}]",
            "[{\"role\": \"assistant\", \"content\": \"\", \"tool_calls\": 5}]",
            "[{\"role\": \"assistant\", \"content\": \"\", \"tool_calls\": [5]}]",
            "[{\"role\": \"assistant\", \"tool_calls\": [{\"function\": null}]}]",
            "[{\"role\": \"assistant\", \"tool_calls\": [{\"function\": {\"name\": 5}}]}]",
            "[{\"role\": \"tool\", \"tool_call_id\": 5, \"content\": \"x\"}]"])
        {
            yield return OfMessages("messages", messages);
        }
        foreach (var messages in (string[])["[{\"role\": \"wizard\", \"content\": \"x\"}]", "[{\"role\": \"user\", \"content\": null}]",
            "[{\"role\": \"user\"}]",
            "[{\"role\": \"\", \"content\": \"x\"}]", "[{\"role\": \"tool\", \"content\": \"x\"}]", "[{\"role\": \"system\", \"content\": null}]",
            "[{\"role\": \"user\", \"content\": \"\\u0000\\u0001\"}]", "[{\"role\": \"assistant\", \"content\": \"x\", \"tool_calls\": []}]",
            $"[{Call("")}]", $"[{Call("not json")}]", $"[{Call("[1")}]", $"[{Call("{\\\"a\\\": 1, \\\"a\\\": 2}")}]",
                $"[{Call("{\\\"a\\\": \\\"\\\\ud800\\\"}")}]",
            $"[{Call("{\\\"\\\\udc00\\\": 1}")}]", $"[{Call("{\\\"a\\\": 1e999}")}]", $"[{Call(Times("[", 60) + Times("]", 60))}]",
            $"[{Call("{\\\"a\\\":" + Times("[", 61) + Times("]", 61) + "}")}]", $"[{Call(Times("{\\\"a\\\":", 50_000))}]"])
        {
            yield return OfMessages("messages", messages, 200, 400);
        }
    }

    /// <summary>Parts that this model does not read: nothing is fetched and nothing decoded.</summary>
    public static IEnumerable<HostileRequest> OfForeignParts()
    {
        foreach (var part in (string[])["{\"type\": \"image_url\", \"image_url\": {\"url\": \"http://169.254.169.254/latest/meta-data\"}}",
            "{\"type\": \"image_url\", \"image_url\": {\"url\": \"file:///etc/passwd\"}}",
            "{\"type\": \"image_url\", \"image_url\": {\"url\": \"data:image/png;base64,AAAA\"}}",
            "{\"type\": \"input_audio\", \"input_audio\": {\"data\": \"AAAA\", \"format\": \"wav\"}}",
            "{\"type\": \"video_url\", \"video_url\": {\"url\": \"http://localhost/\"}}",
            "{\"type\": \"file\", \"file\": {\"file_id\": \"../../etc/passwd\"}}"])
        {
            yield return OfMessages("CVE-2025-6242, CVE-2026-22778, CVE-2026-22773", $"[{{\"role\": \"user\", \"content\": [{part}]}}]");
        }
        yield return OfText("CVE-2025-62164", "\"prompt_embeds\": \"gASVAAAAAAAAAA==\"");
        yield return OfChat("CVE-2025-62164", "\"prompt_embeds\": [\"gASVAAAAAAAAAA==\"]");
        yield return OfChat("mm kwargs", "\"mm_processor_kwargs\": {\"num_crops\": 1000000000}");
        yield return OfChat("mm kwargs", "\"modalities\": [\"audio\"], \"audio\": {}");
        yield return OfChat("kv_transfer_params", "\"kv_transfer_params\": {\"remote_host\": \"169.254.169.254\"}", 501);
    }

    /// <summary>What reaches the template.</summary>
    public static IEnumerable<HostileRequest> OfTemplates()
    {
        foreach (var name in (string[])["tokenize", "messages", "tools", "add_generation_prompt", "continue_final_message", "padding",
            "return_tensors", "chat_template"])
            yield return OfChat("CVE-2025-62426", $"\"chat_template_kwargs\": {{\"{name}\": true}}");
        foreach (var kwargs in (string[])["5", "[]", "\"x\""]) yield return OfChat("CVE-2025-62426", $"\"chat_template_kwargs\": {kwargs}");
        yield return OfChat("CVE-2025-62426",
            $"\"chat_template_kwargs\": {{ {string.Join(", ", Enumerable.Range(0, 50_000).Select(i => $"\"v{i}\": [{i}]"))} }}", 200, 400);
        yield return OfChat("CVE-2025-62426",
            "\"chat_template_kwargs\": {\"raise_exception\": 1, \"range\": 2, \"namespace\": 3, \"strftime_now\": 4, \"loop\": 5}", 200, 400);
        yield return OfChat("CVE-2025-61620",
            "\"chat_template\": \"{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}\"");
        yield return OfChat("CVE-2025-61620", $"\"documents\": [{List("{}", 2000)}]");
    }

    /// <summary>JSON that is none, or too much of it.</summary>
    public static IEnumerable<HostileRequest> OfJson()
    {
        const string Good = """{"messages": [{"role": "user", "content": "Hi."}], "max_tokens": 1}""";
        yield return OfBytes("JSON", "depth of lists 10^5", () => Utf8($"{{\"a\": {Times("[", 100_000)}{Times("]", 100_000)}}}"));
        yield return OfBytes("JSON", "depth of objects 10^5", () => Utf8($"{Times("{\"a\":", 100_000)}1{Times("}", 100_000)}"));
        yield return OfBytes("JSON", "depth unclosed 10^6", () => Utf8(Times("[", 1_000_000)));
        yield return OfChat("JSON", $"\"a\": {Times("[", 63)}{Times("]", 63)}", 200, 400);
        yield return OfChat("JSON", $"\"a\": {Times("[", 65)}{Times("]", 65)}");
        foreach (var fields in (string[])["\"n\": 1, \"n\": 2", "\"a\": {\"b\": 1, \"b\": 1}", "\"seed\": NaN", "\"seed\": Infinity",
            "\"seed\": -Infinity", "\"a\": 01",
            "\"a\": +1", "\"a\": .5", "\"a\": 0x10", "\"a\": 'x'", "\"a\": undefined", "\"a\": \"\\ud800\"", "\"a\": \"\\udc00\\ud800\"",
            "\"\\ud800\": 1",
            "\"a\": \"\\u00g0\"", "\"a\": \"\\x41\"", "\"a\": \"\n\"", "\"a\": 1,", "\"a\": 1 /* c */", "\"a\": 1} {"])
        {
            yield return OfChat("JSON", fields);
        }
        yield return OfChat("JSON", $"\"a\": {Times("9", 1 << 20)}", 200, 400);
        yield return OfChat("JSON", $"\"seed\": {Times("9", 1 << 20)}");
        byte[][] broken = [[], "null"u8.ToArray(), "5"u8.ToArray(), "[]"u8.ToArray(), "\"x\""u8.ToArray(), " "u8.ToArray(), [0xef, 0xbb, 0xbf], [0],
            [0xff, 0xfe, 0x7b, 0]];
        foreach (var bytes in broken) yield return OfBytes("JSON", $"body {Convert.ToHexString(bytes)}", () => bytes);
        byte[][] unicode = [[0xff], [0xc0, 0xaf], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0x80]];
        foreach (var bytes in unicode)
        {
            yield return OfBytes("JSON", $"invalid UTF-8 {Convert.ToHexString(bytes)}",
                () => [.. Utf8("{\"messages\": [{\"role\": \"user\", \"content\": \""), .. bytes, .. Utf8("\"}]}")]);
        }
        for (var end = 1; end < Good.Length; end += 5)
        {
            var cut = end;
            yield return OfBytes("JSON", $"cut at {cut}", () => Utf8(Good[..cut]));
        }
        // Error amplification: what was wrong is told in a few words, whatever there is of it.
        yield return OfMessages("amplification", $"[{List("{\"role\": 1}", 12_001)}]");
        yield return OfChat("amplification", $"\"temperature\": \"{Times("x", 1 << 20)}\"");
        yield return OfChat("amplification", $"\"model\": \"{Times("../", 1 << 18)}\"", 404);
        yield return OfChat("amplification", $"\"logit_bias\": {{\"{Times("k", 1 << 20)}\": 1}}");
        yield return OfChat("amplification", $"\"chat_template_kwargs\": {{\"{Times("k", 1 << 20)}\": 1}}", 200);
        yield return OfChat("amplification", $"\"reasoning_effort\": \"{Times("\\ud83d\\ude00", 100_000)}\"");
        yield return OfChat("amplification",
            $"\"tool_choice\": \"{Times("x", 1 << 20)}\", \"tools\": [{{\"type\": \"function\", \"function\": {{\"name\": \"f\"}}}}]");
        yield return OfChat("amplification", $"\"response_format\": {{\"type\": \"{Times("x", 1 << 20)}\"}}");
        yield return OfChat("amplification", $"\"request_id\": \"{Times("x", 1 << 20)}\"");
        yield return OfMessages("amplification", $"[{{\"role\": \"user\", \"content\": [{{\"type\": \"{Times("x", 1 << 20)}\"}}]}}]");
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private static string Call(string arguments) =>
        """{"role": "assistant", "content": "", "tool_calls": [{"id": "c", "type": "function", "function": """ +
        $$$"""{"name": "f", "arguments": "{{{arguments}}}"}}]}""";
}
