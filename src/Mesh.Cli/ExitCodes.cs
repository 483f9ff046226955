namespace Mesh.Cli;

/// <summary>What a command's end says.</summary>
internal static class ExitCodes
{
    public const int Success = 0;

    /// <summary>What was asked for could not be had; the last line of standard error tells why.</summary>
    public const int Failure = 1;

    /// <summary>The command line is none.</summary>
    public const int Usage = 2;

    /// <summary>As <c>istioctl analyze</c>: something is wrong with the documents.</summary>
    public const int AnalyzerFoundIssues = 79;

    /// <summary>As a shell has it after Ctrl-C.</summary>
    public const int Interrupted = 130;
}
