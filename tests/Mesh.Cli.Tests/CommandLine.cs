namespace Mesh.Cli.Tests;

/// <summary>One run of the command, in this process.</summary>
/// <param name="ExitCode">How it ended.</param>
/// <param name="Out">What it wrote, with line feeds only.</param>
/// <param name="Error">What it complained of.</param>
internal sealed record CommandLine(int ExitCode, string Out, string Error)
{
    /// <summary>The lines of its output, without what pads them.</summary>
    public string[] Lines => [.. Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.TrimEnd())];

    public static async Task<CommandLine> RunAsync(IEnumerable<string> arguments, Func<string, string?>? variable = null, bool isTerminal = false, TimeProvider? time = null)
    {
        var (output, error) = (new StringWriter { NewLine = "\n" }, new StringWriter { NewLine = "\n" });
        var environment = new CliEnvironment { Out = output, Error = error, IsTerminal = isTerminal, Variable = variable ?? (_ => null), Time = time ?? TimeProvider.System };
        var code = await Meshctl.RunAsync([.. arguments], environment).WaitAsync(TimeSpan.FromSeconds(60));
        return new CommandLine(code, output.ToString().ReplaceLineEndings("\n"), error.ToString().ReplaceLineEndings("\n"));
    }

    /// <summary>Its output, having gone well.</summary>
    public string ShouldSucceed()
    {
        ExitCode.ShouldBe(ExitCodes.Success, Error);
        return Out;
    }

    /// <summary>The cells of its table.</summary>
    public string[][] Rows() => [.. Lines.Select(line => System.Text.RegularExpressions.Regex.Split(line, " {2,}"))];
}
