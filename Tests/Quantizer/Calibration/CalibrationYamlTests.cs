using System.Text.Json;
using System.Text.Json.Nodes;
using Quilt.Formats;
using Quilt.Formats.Chat.Jinja;
using Quilt.Quantizer.Calibration;

namespace Quilt.Tests.Quantizer.Calibration;

/// <summary>Calibration sets against what the original loader makes of them.</summary>
[Category("Conformance")]
public sealed class CalibrationYamlTests
{
    public static IEnumerable<TestCaseData> Cases()
    {
        foreach (var file in Shared.Files("cases", "calibration_yaml*.json"))
        {
            if (file is null)
            {
                yield return new TestCaseData([null]) { TestName = "calibration_yaml" };
                continue;
            }
            foreach (var c in JsonElement.Parse(File.ReadAllBytes(file)).GetProperty("cases").EnumerateArray())
                yield return new TestCaseData(c) { TestName = $"{Path.GetFileNameWithoutExtension(file)}: {c.GetProperty("name").GetString()}" };
        }
    }

    [TestCaseSource(nameof(Cases))]
    public void Is_read_and_formatted_as_by_the_original(JsonElement? test)
    {
        if (test is not { } c)
        {
            Shared.Require(null);
            return;
        }
        var expected = c.GetProperty("expected");
        var stage = expected.TryGetProperty("error", out var error) ? error.GetProperty("stage").GetString() : null;
        var yaml = c.GetProperty("yaml").GetString()!;
        if (stage == "config")
        {
            Assert.That(() => CalibrationSet.Parse(yaml, "set.yaml"), Throws.TypeOf<BadInputException>().With.Message.StartWith("set.yaml: "));
            return;
        }
        var set = CalibrationSet.Parse(yaml, "set.yaml");
        CheckConfig(set, expected.GetProperty("config"));
        Assert.That(set.CacheKey, Is.EqualTo(expected.GetProperty("cache_key").GetString()));
        using var data = DataFolder.Of(c.GetProperty("rows"));
        List<CalibrationConversation> Format() => [.. set.Format(data.Path, new CalibrationNotes())];
        if (stage is not null)
        {
            Assert.That(stage, Is.EqualTo("rows"));
            var refused = Assert.Throws<BadInputException>(() => Format())!;
            var isTemplate = error.GetProperty("type").GetString() is "UndefinedError" or "TemplateSyntaxError" or "TemplateAssertionError";
            Assert.That(refused.InnerException is JinjaException, Is.EqualTo(isTemplate), refused.Message);
            return;
        }
        var samples = Format();
        var messages = new JsonArray([.. samples.Select(sample => (JsonNode)new JsonArray([.. sample.Messages.Select(m => m.DeepClone())]))]);
        var wanted = JsonNode.Parse(expected.GetProperty("samples").GetRawText());
        Assert.That(JsonNode.DeepEquals(messages, wanted), $"found {messages.ToJsonString()}");
        if (expected.TryGetProperty("order_after_shuffle", out var order))
            Assert.That(set.Order(samples.Count), Is.EqualTo(order.EnumerateArray().Select(place => place.GetInt32())));
        if (expected.TryGetProperty("hash_calls", out var calls))
        {
            Assert.That(calls.EnumerateArray().Select(call => call[1].GetInt64()),
                Is.EqualTo(calls.EnumerateArray().Select(call => RowFunctions.Hash(call[0].GetString()!))));
            var rows = samples.Select(sample => Python.Str(Template.FromJson(sample.Row.Values))).ToArray();
            Assert.That(calls.EnumerateArray().Select(call => call[0].GetString()), Is.SubsetOf(rows));
        }
    }

    private static void CheckConfig(CalibrationSet set, JsonElement config)
    {
        var found = new JsonObject
        {
            ["max_seq_length"] = set.MaxLength,
            ["shuffle"] = set.Shuffles,
            ["seed"] = set.Seed,
            ["datasets"] = new JsonArray([.. set.Entries.Select(entry => (JsonNode)new JsonObject
            {
                ["dataset"] = entry.Dataset,
                ["split"] = entry.Split,
                ["subset"] = entry.Subset,
                ["columns"] = new JsonArray([.. entry.Columns.Select(column => (JsonNode)column)]),
                ["formatter"] = entry.Formatter,
                ["num_samples"] = entry.Count is { } count ? count : "all",
                ["streaming"] = entry.IsStreamed,
                ["formatter_params"] = new JsonObject(entry.Parameters.Select(p => KeyValuePair.Create(p.Key, (JsonNode?)p.Value.Text()))),
            })]),
        };
        Assert.That(JsonNode.DeepEquals(found, JsonNode.Parse(config.GetRawText())), $"found {found.ToJsonString()}");
    }
}
