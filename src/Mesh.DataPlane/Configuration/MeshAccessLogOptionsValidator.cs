using Mesh.DataPlane.Expressions;
using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Telemetry.AccessLogs;
using Microsoft.Extensions.Options;

namespace Mesh.DataPlane.Configuration;

/// <summary>Says at start-up what is wrong with the section <c>Mesh:AccessLog</c>, all of it at once.</summary>
internal sealed class MeshAccessLogOptionsValidator : IValidateOptions<MeshOptions>
{
    public ValidateOptionsResult Validate(string? name, MeshOptions options)
    {
        var failures = new List<string>();
        var log = options.AccessLog;
        Check(Enum.IsDefined(log.Sink), $"Mesh:AccessLog:Sink is {log.Sink}; use {string.Join(", ", Enum.GetNames<MeshAccessLogSink>())}.");
        Check(Enum.IsDefined(log.Encoding), $"Mesh:AccessLog:Encoding is {log.Encoding}; use Text or Json.");
        Check(log.Sink != MeshAccessLogSink.File || !string.IsNullOrWhiteSpace(log.Path), "Mesh:AccessLog:Path is not set; name the file that Mesh:AccessLog:Sink writes.");
        Check(log.Sink == MeshAccessLogSink.File || log.Path is null, $"Mesh:AccessLog:Path is '{log.Path}', which nobody writes; set Mesh:AccessLog:Sink to File, or leave the path out.");
        Check(log.MaxFileSize > 0, $"Mesh:AccessLog:MaxFileSize is {log.MaxFileSize}; it must be greater than zero.");
        Check(log.MaxFiles >= 1, $"Mesh:AccessLog:MaxFiles is {log.MaxFiles}; it must be at least 1.");
        Check(log.Encoding != MeshAccessLogEncoding.Json || log.Format is null, "Mesh:AccessLog:Format is for text; write the properties of Mesh:AccessLog:JsonFormat, or set Mesh:AccessLog:Encoding to Text.");
        Check(log.Encoding != MeshAccessLogEncoding.Text || log.JsonFormat.Count == 0, "Mesh:AccessLog:JsonFormat is for JSON; set Mesh:AccessLog:Encoding to Json.");
        Check(log.FlushInterval > TimeSpan.Zero, $"Mesh:AccessLog:FlushInterval is {log.FlushInterval}; it must be greater than zero.");
        Check(log.MaxBufferedBytes >= 64 * 1024, $"Mesh:AccessLog:MaxBufferedBytes is {log.MaxBufferedBytes}; it must be at least 65536.");
        Check(log.ShutdownTimeout >= TimeSpan.Zero, $"Mesh:AccessLog:ShutdownTimeout is {log.ShutdownTimeout}; it must not be negative.");
        Check(log.Directory is not { Length: > 0 } directory || Path.IsPathFullyQualified(directory), $"Mesh:AccessLog:Directory is '{log.Directory}'; write a path from the root.");
        if (failures.Count == 0)
        {
            CheckTexts(log);
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);

        void CheckTexts(MeshAccessLogOptions log)
        {
            try
            {
                if (FormatCommands.FindOfConnectionsAlone(MeshAccessLogs.FormatOf(log).NotAlwaysKnown) is { } command)
                {
                    failures.Add($"Mesh:AccessLog:{(log.Encoding == MeshAccessLogEncoding.Text ? "Format" : "JsonFormat")} names {FormatCommands.WhyOfConnectionsAlone(command)}.");
                }
            }
            catch (SubstitutionFormatException e)
            {
                failures.Add($"Mesh:AccessLog:{(log.Encoding == MeshAccessLogEncoding.Text ? "Format" : "JsonFormat")}: {e.Message}.");
            }

            try
            {
                _ = log.Filter is { Length: > 0 } filter ? CelExpression.Parse(filter) : null;
            }
            catch (CelSyntaxException e)
            {
                failures.Add($"Mesh:AccessLog:Filter: {e.Message}.");
            }
        }

        void Check(bool holds, string message)
        {
            if (!holds)
            {
                failures.Add(message);
            }
        }
    }
}
