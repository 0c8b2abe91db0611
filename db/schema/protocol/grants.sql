-- Who may do what, granted again at every migration. Nobody may write a table of the protocol: the procedures do, with
-- the rights of the account that created them.
GRANT SELECT ON schema_version TO {worker}, {operator}, {feed}
;;
GRANT SELECT ON authority TO {worker}, {operator}, {feed}
;;
GRANT SELECT ON city_fence TO {worker}, {operator}, {feed}
;;
GRANT SELECT ON claim TO {worker}, {operator}, {feed}
;;
GRANT SELECT ON tick TO {worker}, {operator}, {feed}
;;
GRANT SELECT ON tick_explanation TO {worker}, {operator}, {feed}
;;
GRANT EXECUTE ON PROCEDURE claim_city TO {worker}
;;
GRANT EXECUTE ON PROCEDURE commit_tick TO {worker}
;;
GRANT EXECUTE ON PROCEDURE read_snapshot TO {worker}
;;
GRANT EXECUTE ON PROCEDURE keep_explanation TO {worker}
;;
GRANT EXECUTE ON PROCEDURE seal_city TO {operator}
;;
GRANT EXECUTE ON PROCEDURE establish_authority TO {operator}
;;
GRANT EXECUTE ON PROCEDURE take_authority TO {operator}
;;
GRANT EXECUTE ON PROCEDURE raise_epoch TO {operator}
;;
GRANT EXECUTE ON PROCEDURE prune_ticks TO {operator}
;;
GRANT EXECUTE ON PROCEDURE prune_explanations TO {operator}
;;
GRANT EXECUTE ON PROCEDURE kill_session TO {worker}, {operator}, {feed}
;;
