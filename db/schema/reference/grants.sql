-- Who may do what on the reference schema. The worker only reads; the company's services (feed) own their tables, and
-- change assignments through the procedures alone.
GRANT SELECT ON open_orders TO {worker}, {operator}, {feed}
;;
GRANT SELECT ON available_couriers TO {worker}, {operator}, {feed}
;;
GRANT SELECT ON assignment TO {worker}, {operator}, {feed}
;;
GRANT SELECT ON stores TO {worker}, {operator}
;;
GRANT SELECT ON couriers TO {worker}, {operator}
;;
GRANT SELECT ON orders TO {worker}, {operator}
;;
GRANT SELECT, INSERT, UPDATE ON stores TO {feed}
;;
GRANT SELECT, INSERT, UPDATE ON couriers TO {feed}
;;
GRANT SELECT, INSERT, UPDATE ON orders TO {feed}
;;
GRANT EXECUTE ON PROCEDURE accept_order TO {feed}
;;
GRANT EXECUTE ON PROCEDURE decline_order TO {feed}
;;
GRANT EXECUTE ON PROCEDURE pick_up_order TO {feed}
;;
GRANT EXECUTE ON PROCEDURE deliver_order TO {feed}
;;
GRANT EXECUTE ON PROCEDURE cancel_order TO {feed}
;;
