using System.Text.Json;
using Quilt.Formats;
using Quilt.Hosting;

namespace Quilt.Cli.Serve;

/// <summary>Options whose value is JSON.</summary>
internal static class JsonOption
{
    /// <summary>An object's members.</summary>
    /// <exception cref="UsageException">It is no JSON object.</exception>
    public static IReadOnlyDictionary<string, JsonElement> Object(string option, string? text)
    {
        if (text is null) return new Dictionary<string, JsonElement>();
        try
        {
            return JsonText.ParseObject(System.Text.Encoding.UTF8.GetBytes(text), option).EnumerateObject()
                .ToDictionary(member => member.Name, member => member.Value, StringComparer.Ordinal);
        }
        catch (BadInputException bad)
        {
            throw new UsageException(bad.Message);
        }
    }

    /// <summary>Texts given one by one, or as a JSON list as vLLM has it.</summary>
    /// <exception cref="UsageException">It looks like a list and is none.</exception>
    public static IEnumerable<string> Texts(string option, IEnumerable<string> given)
    {
        foreach (var text in given)
        {
            if (!text.StartsWith('['))
            {
                yield return text;
                continue;
            }
            string[]? list;
            try
            {
                list = JsonSerializer.Deserialize(text, CliJson.Default.StringArray);
            }
            catch (JsonException)
            {
                throw new UsageException($"{option}: expected a text or a JSON list of texts, found '{text}'");
            }
            foreach (var item in list ?? []) yield return item;
        }
    }

    /// <summary>What --override-generation-config says.</summary>
    /// <exception cref="UsageException">A key is none of a generation's, or its value is out of range.</exception>
    public static SamplingDefaults Sampling(string option, string? text)
    {
        var read = new SamplingDefaults();
        foreach (var (name, value) in Object(option, text))
        {
            switch (name)
            {
                case "temperature": read.Temperature = Number(name, value); break;
                case "top_p": read.TopP = Number(name, value); break;
                case "top_k": read.TopK = Whole(name, value); break;
                case "min_p": read.MinP = Number(name, value); break;
                case "repetition_penalty": read.RepetitionPenalty = Number(name, value); break;
                case "frequency_penalty": read.FrequencyPenalty = Number(name, value); break;
                case "presence_penalty": read.PresencePenalty = Number(name, value); break;
                case "max_new_tokens": read.MaxNewTokens = Whole(name, value); break;
                default:
                    throw new UsageException($"{option}: {name}: expected temperature, top_p, top_k, min_p, repetition_penalty, frequency_penalty, " +
                        "presence_penalty or max_new_tokens");
            }
        }
        Usage.Of(() =>
        {
            read.Over(new()).Validate();
            return true;
        });
        return read;

        double Number(string name, JsonElement value) => value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number)
            ? number
            : throw new UsageException($"{option}: {name}: expected a number, found {value.GetRawText()}");

        int Whole(string name, JsonElement value) => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number)
            ? number
            : throw new UsageException($"{option}: {name}: expected a whole number, found {value.GetRawText()}");
    }
}
