using Envoy.Config.Rbac.V3;
using Envoy.Extensions.Rbac.AuditLoggers.Stream.V3;
using Mesh.Xds.Client;
using AuditCondition = Envoy.Config.Rbac.V3.RBAC.Types.AuditLoggingOptions.Types.AuditCondition;

namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>Compiles <c>audit_logging_options</c>. Who asks for a record of decisions must not believe that there is one: a logger that is not known is refused, unless it is optional.</summary>
internal static class RbacAuditCompiler
{
    /// <returns><see langword="null"/> when nothing is recorded.</returns>
    /// <exception cref="ResourceRejectedException">A logger is not known.</exception>
    public static RbacAudit? Compile(RBAC.Types.AuditLoggingOptions? message, string path, ICollection<string> notes)
    {
        if (message is null || message.AuditCondition == AuditCondition.None)
        {
            return null;
        }

        if (message.AuditCondition is not (AuditCondition.OnDeny or AuditCondition.OnAllow or AuditCondition.OnDenyAndAllow))
        {
            throw new ResourceRejectedException(path + ".audit_condition", $"{message.AuditCondition} is not known");
        }

        var loggers = 0;
        for (var i = 0; i < message.LoggerConfigs.Count; i++)
        {
            var config = message.LoggerConfigs[i];
            var at = $"{path}.logger_configs[{i}].audit_logger";
            if (config.AuditLogger?.TypedConfig?.Is(StdoutAuditLog.Descriptor) == true)
            {
                loggers++;
            }
            else if (config.IsOptional)
            {
                notes.Add($"{at} '{config.AuditLogger?.Name}' is not supported, and optional");
            }
            else
            {
                throw new ResourceRejectedException(at, $"'{config.AuditLogger?.Name}' is not supported; StdoutAuditLog is, and denials are in the log of the process");
            }
        }

        return loggers == 0 ? null : new RbacAudit(message.AuditCondition != AuditCondition.OnDeny, message.AuditCondition != AuditCondition.OnAllow, loggers);
    }
}
