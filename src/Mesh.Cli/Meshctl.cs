using System.CommandLine;
using Mesh.Cli.Analyze;
using Mesh.Cli.Completion;
using Mesh.Cli.Describe;
using Mesh.Cli.Explain;
using Mesh.Cli.Logs;
using Mesh.Cli.ProxyConfig;
using Mesh.Cli.ProxyStatus;
using Mesh.Cli.Versions;
using Mesh.Xds.Validation;

namespace Mesh.Cli;

/// <summary>The command, with all that is below it; another command is one line here.</summary>
internal static class Meshctl
{
    /// <summary>Runs one command line.</summary>
    /// <returns>One of <see cref="ExitCodes"/>.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, CliEnvironment environment, CancellationToken cancellationToken = default)
    {
        var result = Create(environment).Parse([.. arguments]);
        if (result.Errors.Count > 0 && !IsSuggestion(arguments))
        {
            foreach (var error in result.Errors)
            {
                environment.Error.WriteLine($"Error: {PrintableText.Of(error.Message)}");
            }

            environment.Error.WriteLine($"See {NameOf(result.CommandResult)} --help.");
            return ExitCodes.Usage;
        }

        return await result.InvokeAsync(new InvocationConfiguration { Output = environment.Out, Error = environment.Error, EnableDefaultExceptionHandler = false }, cancellationToken).ConfigureAwait(false);
    }

    private static RootCommand Create(CliEnvironment environment)
    {
        var common = new CommonOptions();
        var root = new RootCommand("meshctl asks control planes and processes of the mesh what they believe, with istioctl's commands and columns.")
        {
            new ProxyStatusCommand(common, environment).Create(),
            new ProxyConfigCommand(common, environment).Create(),
            new DescribeCommand(common, environment).Create(),
            new ExplainCommand(common, environment).Create(),
            new AnalyzeCommand(common, environment).Create(),
            new LogLevelCommand(common, environment).CreateLogs(),
            new VersionCommand(common, environment).Create(),
            new CompletionCommand(environment).Create(),
        };
        common.AddTo(root);
        return root;
    }

    /// <summary>A shell asks what may stand where its cursor is; the line is not whole yet.</summary>
    private static bool IsSuggestion(IReadOnlyList<string> arguments) => arguments.Count > 0 && arguments[0].StartsWith("[suggest", StringComparison.Ordinal);

    private static string NameOf(System.CommandLine.Parsing.CommandResult command)
        => command.Parent is System.CommandLine.Parsing.CommandResult parent ? $"{NameOf(parent)} {command.Command.Name}" : "meshctl";
}
