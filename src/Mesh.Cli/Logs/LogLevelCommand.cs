using System.CommandLine;
using System.Text.Json.Nodes;
using Mesh.Cli.Output;
using Mesh.Cli.Servers;
using Mesh.Xds.Validation;

namespace Mesh.Cli.Logs;

/// <summary>Shows and changes the log levels of a process: <c>meshctl logs level</c>, and under the name that istioctl has for it.</summary>
internal sealed class LogLevelCommand(CommonOptions common, CliEnvironment environment)
{
    public Command CreateLogs()
    {
        var logs = new Command("logs", "What processes write to their logs");
        logs.Add(Create("level", [], "The log levels of a process; with category=level, changes them"));
        return logs;
    }

    public Command Create(string name, string[] aliases, string description)
    {
        var proxy = CommonOptions.NoOption(new Argument<string?>("proxy") { Description = "name.namespace as proxy-status has it; not with --admin", Arity = ArgumentArity.ZeroOrOne });
        var changes = CommonOptions.NoOption(new Argument<string[]>("category=level") { Description = "Mesh=debug, or a level for all: trace, debug, info, warning, error, critical, off", Arity = ArgumentArity.ZeroOrMore });
        var level = new Option<string?>("--level") { Description = "As istioctl: category:level,category:level, or a level for all", HelpName = "levels" };
        var command = new Command(name, description) { proxy, changes, level, common.Output };
        foreach (var alias in aliases)
        {
            command.Aliases.Add(alias);
        }

        command.SetAction((arguments, cancellationToken) => CommandRunner.RunAsync(environment, async () =>
        {
            var (who, wanted) = (arguments.GetValue(proxy), arguments.GetValue(changes)!.ToList());
            if (arguments.GetValue(common.Admin) is { Length: > 0 } && who is not null)
            {
                // Where the process is said by its address, what stands in its name's place is a level.
                wanted.Insert(0, who);
                who = null;
            }

            wanted.AddRange(arguments.GetValue(level)?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? []);
            using var controlPlane = ControlPlaneServer.Of(arguments, common, environment);
            using var admin = await new ProxyLocator(arguments, common, environment).GetAdminAsync(who, controlPlane, cancellationToken);
            JsonNode? answer = null;
            foreach (var change in wanted)
            {
                answer = await admin.PostJsonAsync(PathOf(change), cancellationToken);
            }

            Write(arguments.GetValue(common.Output), answer ?? await admin.GetAsync("logging?format=json", cancellationToken));
        }));
        return command;
    }

    /// <summary><c>category=level</c>, istioctl's <c>category:level</c>, or a level for all of the mesh's.</summary>
    private static string PathOf(string change)
    {
        var split = change.IndexOfAny(['=', ':']);
        return split < 0 ? $"logging?level={Uri.EscapeDataString(change)}" : $"logging?paths={Uri.EscapeDataString($"{change[..split]}:{change[(split + 1)..]}")}";
    }

    private void Write(OutputFormat format, JsonNode levels)
    {
        if (format is OutputFormat.Json or OutputFormat.Yaml)
        {
            Documents.Write(environment, format, levels);
            return;
        }

        var table = new Table("CATEGORY", "LEVEL");
        foreach (var (category, value) in levels["loggers"]!.AsObject())
        {
            table.Add(category, value?.ToString());
        }

        if (levels["note"] is { } note)
        {
            environment.Error.WriteLine($"warning: {PrintableText.Of(note.ToString())}");
        }

        table.Write(environment);
    }
}
