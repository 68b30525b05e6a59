using System.CommandLine;
using Quilt.Formats.Chat;

namespace Quilt.Cli.Verbs;

/// <summary><c>render CONVERSATION.json</c>: the prompt the model will see.</summary>
internal static class RenderVerb
{
    public static Command Create()
    {
        var file =
            new Argument<string>(
            "CONVERSATION") { Description =
            "A file {\"messages\": […], \"tools\": […], \"add_generation_prompt\": true, …}; any other key is a variable of the template." };
        var model = new ModelOptions().Model;
        var command = new Command("render", "Prints the prompt that a model's chat template makes of a conversation, exactly.") { file, model };

        command.SetAction(parsed =>
        {
            var path = parsed.GetValue(file)!;
            var conversation = Conversation.Read(InputFile.ReadBytes(path), path);
            Console.Out.Write(ChatTemplate.Open(parsed.GetValue(model)!).Render(conversation));
            return 0;
        });
        return command;
    }
}
