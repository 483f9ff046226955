using System.Diagnostics;

namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>Runs <c>dotnet</c> to its end.</summary>
internal static class DotnetCommand
{
    /// <summary>A build on a busy machine takes its time.</summary>
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(5);

    /// <summary>The root of the repository.</summary>
    public static string Root { get; } = FindRoot();

    /// <returns>What it wrote to standard output.</returns>
    public static async Task<string> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Root };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        // What the test runner sets for its own process is not for builds.
        foreach (var variable in start.Environment.Keys.Where(key => key.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToArray())
        {
            start.Environment.Remove(variable);
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        try
        {
            await process.WaitForExitAsync().WaitAsync(Hang);
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        process.ExitCode.ShouldBe(0, $"dotnet {string.Join(' ', arguments)}\n{await output}\n{await error}");
        return await output;
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Mesh.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException($"No Mesh.sln above {AppContext.BaseDirectory}.");
    }
}
