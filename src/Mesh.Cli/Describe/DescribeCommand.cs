using System.CommandLine;
using Mesh.Cli.Output;
using Mesh.Cli.Servers;

namespace Mesh.Cli.Describe;

/// <summary><c>meshctl describe</c>: which rules and policies hit a workload, a service or a host, in words.</summary>
internal sealed class DescribeCommand(CommonOptions common, CliEnvironment environment)
{
    public Command Create()
    {
        var describe = new Command("describe", "Which rules and policies hit something, in words") { Aliases = { "desc" } };
        describe.Add(Of("workload", ["pod", "w"], "A workload: its services, the rules that lead to it, and who may call it", "name.namespace", isSeen: false));
        describe.Add(Of("service", ["svc"], "A service: who serves it, and the rules for calls to it", "name.namespace", isSeen: true));
        describe.Add(Of("host", [], "A host as an application calls it: what it means, and the rules for calls to it", "host:port", isSeen: true));
        return describe;
    }

    private Command Of(string kind, string[] aliases, string description, string form, bool isSeen)
    {
        var name = CommonOptions.NoOption(new Argument<string>("name") { Description = form });
        var from = new Option<string?>("--from") { Description = "The namespace of those who call", HelpName = "namespace" };
        var command = new Command(kind, description) { name, common.Output };
        if (isSeen)
        {
            command.Add(from);
        }

        foreach (var alias in aliases)
        {
            command.Aliases.Add(alias);
        }

        command.SetAction((arguments, cancellationToken) => CommandRunner.RunAsync(environment, async () =>
        {
            using var controlPlane = ControlPlaneServer.Of(arguments, common, environment);
            var what = arguments.GetRequiredValue(name);
            var @namespace = arguments.GetValue(common.Namespace);
            var described = await controlPlane.ReadAsync(
                "describez",
                cancellationToken,
                (kind, kind == "host" ? what : ProxyName.Parse(what, @namespace)),
                ("from", isSeen ? arguments.GetValue(from) ?? (kind == "host" ? @namespace : null) : null));
            var format = arguments.GetValue(common.Output);
            if (format is OutputFormat.Json or OutputFormat.Yaml)
            {
                Documents.Write(environment, format, described);
                return;
            }

            var text = new DescriptionText(environment.Out);
            switch (kind)
            {
                case "workload":
                    text.WriteWorkload(described);
                    break;
                case "service":
                    text.WriteServices(described);
                    break;
                default:
                    text.WriteHost(described);
                    break;
            }
        }));
        return command;
    }
}
